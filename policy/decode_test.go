package policy_test

import (
	"encoding/json"
	"testing"

	"gatehouse/policy/all"
)

func TestDecodeNamesTheField(t *testing.T) {
	tests := []struct{ name, kind, config, want string }{
		{"duration without a unit", "rate-limit", `{"requests": 60, "per": "60"}`,
			`rate-limit: per: "60" is not a duration such as "250ms", "10s", "5m", "1h30m" or "30d"`},
		{"duration as a number", "timeout", `{"backend": 10}`,
			`timeout: backend: a duration is text with a unit, such as "10s", not 10`},
		{"text for a number", "rate-limit", `{"requests": "60", "per": "1m"}`,
			`rate-limit: requests: text stands where a whole number belongs`},
		{"fraction for a whole number", "rate-limit", `{"requests": 1.5, "per": "1m"}`,
			`rate-limit: requests: a number stands where a whole number belongs`},
		{"unknown field", "timeout", `{"backed": "10s"}`, `timeout: unknown field "backed"; it has backend`},
		{"no map", "timeout", `"10s"`, `timeout: text stands where a map of fields belongs`},
		{"nested", "headers", `{"request": {"set": {"X-A": 1}}}`, `headers: request.set: a number stands where text belongs`},
		{"size", "body-limit", `{"bytes": "1 MBit"}`, `body-limit: bytes: "1 MBit" is not a size such as "64KB", "1MB" or "512KiB"`},
		{"nothing given", "quota", `null`, `quota: requests: 0 is not between 1 and 1000000000000`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, ok := all.Find(tt.kind)
			if !ok {
				t.Fatalf("no kind %q", tt.kind)
			}
			_, err := k.Decode(json.RawMessage(tt.config))
			if err == nil || err.Error() != tt.want {
				t.Errorf("decoding %s\n got %v\nwant %s", tt.config, err, tt.want)
			}
		})
	}
}

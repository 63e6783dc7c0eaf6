package bodylimit

import (
	"encoding/json"
	"testing"

	"gatehouse/policy/policytest"
)

func TestLimit(t *testing.T) {
	step := policytest.Build(t, policytest.Decode(t, Kind, `{"bytes": "1KB"}`))
	tests := []struct {
		name          string
		length, limit int64
		want          int
		after         int64
	}{
		{"exactly as much", 1000, 0, 0, 1000},
		{"one more", 1001, 0, 413, 0},
		{"not announced", -1, 0, 0, 1000},
		{"a smaller limit stays", -1, 500, 0, 500},
		{"a larger limit goes", -1, 5000, 0, 1000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := policytest.Request("POST", "/")
			x.Body.Length, x.Body.Limit = tt.length, tt.limit
			if d := step(x); d.Code() != tt.want || x.Body.Limit != tt.after {
				t.Errorf("got %d and limit %d, want %d and %d", d.Code(), x.Body.Limit, tt.want, tt.after)
			}
		})
	}
	x := policytest.Request("GET", "/")
	x.Body = nil
	if d := step(x); d != nil {
		t.Errorf("without a body: got %+v", d)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{"1": 1, "1B": 1, "1KB": 1000, "1 MB": 1e6, "512KiB": 512 << 10, "2GiB": 2 << 30} {
		got, err := ParseSize(text)
		if err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
		data, _ := json.Marshal(got)
		var back Size
		if err := json.Unmarshal(data, &back); err != nil || back != got {
			t.Errorf("%q came back from %s as %d, %v", text, data, back, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "+1", "1.5MB", "MB", "1TB", "9999999999GB", "1 M B", "0x10"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q) = %d", text, got)
		}
	}
}

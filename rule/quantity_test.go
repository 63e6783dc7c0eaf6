package rule

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Conditions compare sizes and periods, so both are numbers to them however
// files write them; all else is as in the file.
func TestEffectiveConfigurations(t *testing.T) {
	tests := []struct {
		policy, config string
		want           map[string]any
	}{
		{"body-limit", `{"bytes":"1MB"}`, map[string]any{"bytes": int64(1000000)}},
		{"body-limit", `{"bytes":"1MiB"}`, map[string]any{"bytes": int64(1 << 20)}},
		{"timeout", `{"backend":"1m30s"}`, map[string]any{"backend": 90.0}},
		{"rate-limit", `{"requests":60,"per":"1h","by":"api"}`, map[string]any{"requests": int64(60), "per": 3600.0, "by": "api"}},
		{"ip-filter", `{"allow":["10.0.0.0/8"]}`, map[string]any{"allow": []any{"10.0.0.0/8"}}},
	}
	for _, tt := range tests {
		t.Run(tt.policy+tt.config, func(t *testing.T) {
			got, err := effective(tt.policy, json.RawMessage(tt.config))
			if err != nil {
				t.Fatal(err)
			}
			have := got.(map[string]any)
			for k, want := range tt.want {
				if diff := cmp.Diff(want, have[k]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", k, diff)
				}
			}
		})
	}
}

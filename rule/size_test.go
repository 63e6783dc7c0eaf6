package rule

import (
	"testing"

	"gatehouse"
	"gatehouse/policy"
)

// A size is a number to conditions, however it was written.
func TestSizesAreNumbers(t *testing.T) {
	for config, want := range map[string]bool{`{"bytes":"10MB"}`: true, `{"bytes":10485760}`: true, `{"bytes":"10MiB"}`: true, `{"bytes":"11MiB"}`: false} {
		r, faults := New(&gatehouse.Control{ID: "a", Check: gatehouse.ControlCheck{Policy: &gatehouse.PolicyCheck{Name: "body-limit", Condition: "config.bytes <= 10485760"}}}, nil)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		v, err := r.Judge(&Subject{
			Form: &gatehouse.RevisionForm{}, Environment: &gatehouse.Environment{},
			Operations: []Operation{{ID: "*", Chain: []policy.Use{{Name: "body-limit", Config: []byte(config), From: "api"}}}},
		})
		if err != nil || v.Passed != want {
			t.Errorf("%s: passed %v, %v: %+v", config, v.Passed, err, v.Findings)
		}
	}
}

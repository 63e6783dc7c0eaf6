package compile_test

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/control/compile"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// The version that the record names is the one whose policies are mandatory,
// whatever the file says of itself; a withdrawn one adds nothing.
func TestTheRecordSaysWhatIsInForce(t *testing.T) {
	framework := `{"versions":[{"name":"1","state":"in-force","policies":[{"policies":[{"timeout":{"after":"1s"}}]}]},{"name":"2","policies":[{"policies":[{"timeout":{"after":"2s"}}]}]}],"service":"as it once could be"}`
	tests := []struct {
		name, record, want string
	}{
		{"nothing on record yet", "", `"1s"`},
		{"the one of the file", `{"inForce":"1"}`, `"1s"`},
		{"another", `{"inForce":"2"}`, `"2s"`},
		{"the text that was approved", `{"inForce":"1","versions":{"1":{"state":"in-force","hash":"aa"}}}`, `"9s"`},
		{"withdrawn", `{"inForce":"","versions":{"1":{"state":"withdrawn"}}}`, ""},
		{"a version that is not there", `{"inForce":"3"}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db := memory.New()
			put := func(key, value string) {
				kind, _, _ := strings.Cut(key, "/")
				write(t, db, []store.Write{{Key: key, Kind: kind, Value: []byte(value), Expect: store.Any}})
			}
			put("Environment/prod", `{"object":{"spec":{"stage":"prod"}}}`)
			put("Framework/f", `{"object":{"spec":`+framework+`}}`)
			put("Backend/a/x", `{"object":{"spec":{"environments":{"prod":{"targets":[{"url":"http://127.0.0.1:1"}]}}}}}`)
			put("Revision/a/x/v1/1", `{"hash":"1","form":{"team":"a","name":"x","framework":"f","version":{"name":"v1","path":"/x","backend":"x"}}}`)
			put("FrameworkText/aa", `{"framework":"f","version":{"name":"1","policies":[{"policies":[{"policy-set":"a/s"}]}]},"policySets":{"a/s":[{"timeout":{"after":"9s"}}]}}`)
			put("PolicySet/a/s", `{"object":{"spec":{"policies":[{"timeout":{"after":"10s"}}]}}}`)
			put("Release/prod/a/x/v1", `{"revision":"1"}`)
			s := compile.New(db)
			if err := s.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			if tt.record != "" {
				put(gatehouse.FrameworkStateKey("f"), tt.record)
				changes, upTo, err := db.Changes(t.Context(), s.Seq(), 100)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Apply(t.Context(), changes, upTo); err != nil {
					t.Fatal(err)
				}
			}
			x, err := s.Explain("a/x@v1", "prod", "", "")
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(x.Steps); strings.Contains(got, "framework f") != (tt.want != "") {
				t.Errorf("steps %+v, want of the framework: %q", x.Steps, tt.want)
			}
			for _, step := range x.Steps {
				if strings.HasPrefix(step.From, "framework") && !strings.Contains(string(step.Config), tt.want) {
					t.Errorf("got %s, want %s", step.Config, tt.want)
				}
			}
		})
	}
}

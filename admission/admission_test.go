package admission

import (
	"strings"
	"testing"

	"gatehouse"
)

func rules(r ...string) *gatehouse.FrameworkVersion {
	return &gatehouse.FrameworkVersion{Name: "2026.1", Onboarding: &gatehouse.OnboardingRules{AutoApprove: r}}
}

func TestDecide(t *testing.T) {
	dev := Environment{Name: "dev", Stage: "dev", Clouds: []string{"aws"}}
	prod := Environment{Name: "prod", Stage: "prod", Jurisdiction: "EU"}
	devOnly := `request.environments.all(e, e.stage == "dev") && !request.more`
	tests := []struct {
		name    string
		version *gatehouse.FrameworkVersion
		request Request
		want    string
		err     string
	}{
		{"no version in force", nil, Request{}, "", ""},
		{"no rules", &gatehouse.FrameworkVersion{}, Request{}, "", ""},
		{"dev alone", rules(devOnly), Request{Environments: []Environment{dev}}, devOnly, ""},
		{"prod too", rules(devOnly), Request{Environments: []Environment{dev, prod}}, "", ""},
		{"the second rule", rules(devOnly, `request.asker == "user:a"`), Request{Asker: "user:a", More: true}, `request.asker == "user:a"`, ""},
		{"lists left out are empty", rules(`request.members.size() == 0 && request.data.all(d, d == "public") && request.quotas.apis == 0`), Request{}, `request.members.size() == 0 && request.data.all(d, d == "public") && request.quotas.apis == 0`, ""},
		{"a rule that cannot be asked lets nothing through", rules(`request.members[7] == "user:a"`), Request{}, "", "index"},
		{"and keeps no other from it", rules(`request.members[7] == "user:a"`, `true`), Request{}, "true", "index"},
	}
	for _, tt := range tests {
		got, err := Decide(tt.version, tt.request)
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: got %q, %v; want %q, %q", tt.name, got, err, tt.want, tt.err)
		}
	}
}

func TestCheckNamesTheRule(t *testing.T) {
	f := &gatehouse.Framework{Versions: []gatehouse.FrameworkVersion{{Name: "1"}, *rules("true", `request.stage == "dev"`, `request.team`, `request.environments.all(a, request.environments.all(b, request.environments.all(c, a.name == b.name)))`)}}
	got := Check(f)
	if len(got) != 3 || got[0].Version != 1 || got[0].Rule != 1 || !strings.Contains(got[0].Detail, "undefined field 'stage'") ||
		!strings.Contains(got[1].Detail, "true or false") || !strings.Contains(got[2].Detail, "may cost") {
		t.Errorf("got %+v", got)
	}
}

func TestWords(t *testing.T) {
	v := &gatehouse.FrameworkVersion{Name: "2026.1", Service: &gatehouse.Service{NonFunctional: &gatehouse.ServiceTerms{
		Terms:  "Keep your backend up.\n",
		Duties: []gatehouse.ServiceDuty{{Task: "Run | gateways", Provider: "RA", Consumer: "I"}, {Task: "Fix bugs", Consumer: "RA"}},
	}}}
	want := `# Responsibilities: framework corporate, version 2026.1

Keep your backend up.

| Task | Provider team | Consumer team |
|---|---|---|
| Run \| gateways | responsible, accountable | informed |
| Fix bugs | - | responsible, accountable |
`
	if got := Words("corporate", v); got != want {
		t.Errorf("got %s", got)
	}
	if len(Hash(want)) != 64 || Hash(want) == Hash(want+" ") {
		t.Error("the hash does not hold the words")
	}
	if got := Words("corporate", &gatehouse.FrameworkVersion{Name: "1"}); !strings.Contains(got, "says nothing") {
		t.Errorf("got %s", got)
	}
}

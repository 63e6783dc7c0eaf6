package gatehouse

import "testing"

func TestMayPass(t *testing.T) {
	tests := []struct {
		name  string
		bound []string
		gateway, environment,
		want string // "" passes
	}{
		{"nothing bound", nil, "", "", ""},
		{"at home", []string{"EU"}, "EU", "", ""},
		{"at home by the environment", []string{"EU"}, "", "EU", ""},
		{"one of several, written otherwise", []string{"CH", "EU"}, "eu", "", ""},
		{"elsewhere", []string{"EU"}, "US", "", "not placed on gateway g: data may not leave EU (API t/a data.jurisdictions), gateway lies in US"},
		{"the gateway's own word counts", []string{"EU", "CH"}, "US", "EU", "not placed on gateway g: data may not leave EU, CH (API t/a data.jurisdictions), gateway lies in US"},
		{"nobody knows", []string{"EU"}, "", "", "not placed on gateway g: data may not leave EU (API t/a data.jurisdictions), and where the gateway lies is not said: set location.jurisdiction of Gateway g, or jurisdiction of its environment"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := Gateway{Location: &Location{Jurisdiction: tt.gateway}}
			in, got := g.JurisdictionIn(&Environment{Jurisdiction: tt.environment}), ""
			if !MayPass(tt.bound, in) {
				got = NotPlaced("t/a", tt.bound, "g", in)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

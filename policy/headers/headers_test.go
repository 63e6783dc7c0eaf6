package headers

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse/policy"
	"gatehouse/policy/policytest"
)

func TestChanges(t *testing.T) {
	tests := []struct {
		name, changes string
		want          string // the fields after, in order
	}{
		{"set replaces every line", `{"set": {"x-a": "new"}}`, "X-A: new; X-B: b"},
		{"add keeps what is there", `{"add": {"X-A": "3"}}`, "X-A: 1; X-A: 2; X-B: b; X-A: 3"},
		{"remove whatever the case", `{"remove": ["x-a"]}`, "X-B: b"},
		{"remove before set", `{"remove": ["X-B"], "set": {"X-B": "c"}}`, "X-A: 1; X-A: 2; X-B: c"},
		{"placeholders", `{"set": {"X-B": "{application}/{plan} {param:id} {claim:org} {{x}}"}}`, "X-A: 1; X-A: 2; X-B: billing/invoices/gold 7 o-1 {x}"},
		{"claim with a line break is not sent", `{"set": {"X-B": "{claim:evil}"}}`, "X-A: 1; X-A: 2"},
		{"claim that is missing", `{"set": {"X-B": "{claim:none}"}, "add": {"X-A": "{claim:none}"}}`, "X-A: 1; X-A: 2"},
		{"secret", `{"set": {"X-B": "Basic ${env:A}"}}`, "X-A: 1; X-A: 2; X-B: Basic " + policytest.Secret},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := policytest.New(t, policytest.Decode(t, Kind, `{"request": `+tt.changes+`}`))
			x := policytest.Request("GET", "/", "X-A: 1", "X-A: 2", "X-B: b")
			x.Params = []policy.Param{{Name: "id", Value: "7"}}
			x.Claims = map[string]any{"org": "o-1", "evil": "a\r\nX-Admin: true"}
			u.Step(x)
			var got []string
			for _, f := range x.Header {
				got = append(got, f.Name+": "+f.Value)
			}
			if s := strings.Join(got, "; "); !strings.EqualFold(s, tt.want) {
				t.Errorf("got %s\nwant %s", s, tt.want)
			}
		})
	}
}

func TestResponseOfADenialToo(t *testing.T) {
	u := policytest.New(t, policytest.Decode(t, Kind, `{"response": {"remove": ["Server"], "set": {"X-Frame-Options": "DENY"}}}`))
	x := policytest.Request("GET", "/")
	u.Run(x, policy.Field{Name: "server", Value: "x/1.0"})
	if h := x.Response.Header; h.Count("Server") != 0 || h.Get("X-Frame-Options") != "DENY" {
		t.Errorf("got %v", h)
	}
}

func TestRefused(t *testing.T) {
	for config, want := range map[string]string{
		`{}`: "neither request nor response",
		`{"request": {"set": {"Content-Length": "1"}}}`:       `request.set.Content-Length: "Content-Length" frames`,
		`{"request": {"remove": ["TRANSFER-ENCODING"]}}`:      "request.remove[0]",
		`{"request": {"add": {"Connection": "x"}}}`:           "request.add.Connection",
		`{"request": {"set": {"Host": "x"}}}`:                 "request.set.Host",
		`{"request": {"set": {"X-Forwarded-For": "x"}}}`:      "gateway's own",
		`{"request": {"set": {"x_forwarded_for": "x"}}}`:      "gateway's own",
		`{"request": {"set": {"Gatehouse-Caller": "x"}}}`:     "gateway's own",
		`{"request": {"set": {"X A": "x"}}}`:                  "cannot be a header name",
		`{"request": {"set": {"X-A": "a\r\nb"}}}`:             "no header may hold",
		`{"request": {"set": {"X-A": "a\u0000"}}}`:            "no header may hold",
		`{"request": {"set": {"X-A": "{nobody}"}}}`:           `"{nobody}" is not known`,
		`{"request": {"set": {"X-A": "{"}}}`:                  "has no end",
		`{"request": {"set": {"X-A": "}"}}}`:                  "ends nothing",
		`{"request": {"set": {"X-A": "${HOME}"}}}`:            "is no reference",
		`{"request": {"set": {"X-A": "1", "x-a": "2"}}}`:      "is there twice",
		`{"response": {"set": {"X-A": "${env:A}"}}}`:          "a reference to a secret has no place",
		`{"request": {"set": {"authorization": "Bearer 1"}}}`: "request.set.authorization: secrets do not stand in files",
		`{"request": {"add": {"Cookie": "a=b"}}}`:             "request.add.Cookie: secrets do not stand in files",
		`{"request": {"set": {"X-Shop-API-Key": "{{1}}"}}}`:   "secrets do not stand in files",
	} {
		if _, err := Kind.Decode([]byte(config)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", config, err, want)
		}
	}
}

func TestSecretsAtFault(t *testing.T) {
	c := policytest.Decode(t, Kind, `{"request": {"set": {"X-A": "${env:MISSING}"}}}`)
	if _, err := policytest.Try(t, c); err == nil || !strings.Contains(err.Error(), `request.set.X-A: resolving "${env:MISSING}"`) {
		t.Errorf("missing: got %v", err)
	}
	c = policytest.Decode(t, Kind, `{"request": {"set": {"X-A": "${env:A}"}}}`)
	_, err := policytest.Try(t, c, func(e *policy.Env) {
		e.Secret = func(string) (string, error) { return policytest.Secret + "\r\nX-Admin: true", nil }
	})
	if err == nil || strings.Contains(fmt.Sprint(err), policytest.Secret) {
		t.Errorf("with a line break: got %v, want an error that does not show it", err)
	}
}

func FuzzClaim(f *testing.F) {
	f.Add("ok")
	f.Add("a\r\nX-Admin: true")
	u := policytest.New(f, policytest.Decode(f, Kind, `{"request": {"set": {"X-A": "v={claim:c}"}, "add": {"X-B": "{claim:c}"}}}`))
	f.Fuzz(func(t *testing.T, claim string) {
		x := policytest.Request("GET", "/")
		x.Claims = map[string]any{"c": claim}
		u.Step(x)
		for _, field := range x.Header {
			if !policy.IsValue(field.Value) {
				t.Errorf("%s: %q went into a header", field.Name, field.Value)
			}
		}
	})
}

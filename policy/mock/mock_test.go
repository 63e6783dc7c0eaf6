package mock

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/policy"
	"gatehouse/policy/policytest"
)

var examples = []policy.Example{
	{Status: 404, Body: []byte(`{"title":"none"}`)},
	{Status: 200, Name: "one", Body: []byte(`{"n":1}`)},
	{Status: 200, Name: "two", Body: []byte(`{"n":2}`)},
	{Status: 200, Name: "xml", ContentType: "application/xml", Body: []byte(`"<n>1</n>"`)},
	{Status: 204},
}

func TestAnswers(t *testing.T) {
	tests := []struct {
		name, config string
		fields       []string
		status       int
		body, kind   string
	}{
		{"first with success", `{}`, nil, 200, `{"n":1}`, "application/json"},
		{"by status", `{"status": 404}`, nil, 404, `{"title":"none"}`, "application/json"},
		{"by name", `{"example": "two"}`, nil, 200, `{"n":2}`, "application/json"},
		{"without content", `{"status": 204}`, nil, 204, ``, ""},
		{"Prefer a code", `{}`, []string{"Prefer: respond-async, code=404"}, 404, `{"title":"none"}`, "application/json"},
		{"Prefer an example", `{}`, []string{`Prefer: example="two"`}, 200, `{"n":2}`, "application/json"},
		{"Prefer what there is none of", `{}`, []string{"Prefer: code=418"}, 200, `{"n":1}`, "application/json"},
		{"Accept another type of the same name", `{"example": "xml"}`, nil, 200, `<n>1</n>`, "application/xml"},
		{"Accept none of them", `{}`, []string{"Accept: image/png"}, 200, `{"n":1}`, "application/json"},
		{"own body", `{"status": 503, "body": {"a": [1]}}`, nil, 503, `{"a": [1]}`, "application/json"},
		{"own text", `{"body": "hello", "contentType": "text/plain; charset=utf-8"}`, nil, 200, `hello`, "text/plain; charset=utf-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			step := policytest.Build(t, policytest.Decode(t, Kind, tt.config), func(e *policy.Env) { e.Examples = examples })
			d := step(policytest.Request("GET", "/orders", tt.fields...))
			if d.Code() != tt.status || string(d.Body) != tt.body || d.ContentType != tt.kind || !d.Answer {
				t.Errorf("got %d %q %s, want %d %q %s", d.Code(), d.Body, d.ContentType, tt.status, tt.body, tt.kind)
			}
		})
	}
}

func TestAcceptChoosesAmongOneStatus(t *testing.T) {
	both := []policy.Example{{Status: 200, Body: []byte(`{}`)}, {Status: 200, ContentType: "text/csv", Body: []byte(`"a,b"`)}}
	step := policytest.Build(t, policytest.Decode(t, Kind, `{}`), func(e *policy.Env) { e.Examples = both })
	for accept, want := range map[string]string{"text/csv": "text/csv", "text/*;q=0.5": "text/csv", "*/*": "application/json", "application/json;q=0, text/csv": "text/csv"} {
		if d := step(policytest.Request("GET", "/", "Accept: "+accept)); d.ContentType != want {
			t.Errorf("Accept %q: got %s, want %s", accept, d.ContentType, want)
		}
	}
}

func TestNoExampleNamesTheOperation(t *testing.T) {
	c := policytest.Decode(t, Kind, `{"status": 418, "example": "tea"}`)
	_, err := policytest.Try(t, c, func(e *policy.Env) { e.Examples, e.Scope = examples, "payments/orders@v1#getOrder" })
	if want := `the definition gives payments/orders@v1#getOrder no example answer with status 418 named "tea"`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestDelayEndsWithTheGateway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		step := policytest.Build(t, policytest.Decode(t, Kind, `{"body": 1, "delay": "10s"}`), func(e *policy.Env) { e.Context = ctx })
		began := time.Now()
		step(policytest.Request("GET", "/"))
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("answered after %s, want 10s", took)
		}
		began = time.Now()
		time.AfterFunc(time.Second, stop)
		step(policytest.Request("GET", "/"))
		if took := time.Since(began); took != time.Second {
			t.Errorf("the gateway stopped after 1s, the mock answered after %s", took)
		}
	})
}

func TestDelayEndsWithTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		step := policytest.Build(t, policytest.Decode(t, Kind, `{"body": 1, "delay": "10s"}`))
		x := policytest.Request("GET", "/")
		var leave func()
		x.Context, leave = context.WithCancel(t.Context())
		began := time.Now()
		time.AfterFunc(time.Second, leave)
		step(x)
		if took := time.Since(began); took != time.Second {
			t.Errorf("the caller left after 1s, the mock answered after %s", took)
		}
	})
}

func TestRefused(t *testing.T) {
	for config, want := range map[string]string{
		`{"status": 99}`:                     "status: 99 is not",
		`{"delay": "11s"}`:                   `delay: "11s" is more than "10s"`,
		`{"body": 1, "example": "a"}`:        "example:",
		`{"contentType": "text/plain"}`:      "contentType:",
		`{"body": 1, "contentType": "text"}`: "contentType:",
	} {
		if _, err := Kind.Decode([]byte(config)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", config, err, want)
		}
	}
}

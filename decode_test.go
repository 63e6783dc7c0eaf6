package gatehouse

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gatehouse/jsonx"
)

// doc wraps a spec into a document of a kind.
func doc(kind, spec string) string {
	meta := `{"name":"x"}`
	if k, _ := Info(kind); k.Owned {
		meta = `{"team":"t","name":"x"}`
	}
	return `{"apiVersion":"gatehouse/v1","kind":"` + kind + `","metadata":` + meta + `,"spec":` + spec + `}`
}

// problems are the faults of a document, "field: detail", one a line.
func problems(text string) string {
	_, err := DecodeObject([]byte(text))
	if err == nil {
		return ""
	}
	var lines []string
	for _, f := range err.(*Error).Faults {
		lines = append(lines, Field(f.Pointer)+": "+f.Detail)
	}
	return strings.Join(lines, "\n")
}

func TestDocumentsThatPass(t *testing.T) {
	tests := []struct{ kind, spec string }{
		{"Team", `{"title":"T","members":["user:a@example.com","group:devs","service:ci"],"contacts":{"email":"t@example.com"}}`},
		{"User", `{"email":"a@example.com"}`},
		{"Group", `{"members":["user:a@example.com"]}`},
		{"ServiceAccount", `{"team":"t"}`},
		{"Role", `{"permissions":["api.*","*.get","*","service-account.put"]}`},
		{"RoleAssignment", `{"subject":"user:alice@example.com","role":"developer","scope":"team/payments","expires":"2027-06-30"}`},
		{"RoleAssignment", `{"subject":"group:g","role":"developer","scope":"API/payments/orders","expires":"2027-06-30T10:00:00Z"}`},
		{"Environment", `{"stage":"prod","hosts":["api.example.com","*.example.org"],"jurisdiction":"EU","release":{"mode":"approved","after":["qa"]}}`},
		{"Gateway", `{"environment":"prod","location":{"cloud":"aws","region":"eu-central-1","jurisdiction":"EU","network":"public"},"runtime":"gatehouse"}`},
		{"Framework", `{"versions":[{"name":"2026.1","state":"in-force","controls":[{"id":"tls-1","check":{"question":{"text":"?"}}}],"policies":[{"stages":["prod"],"policies":[{"cors":{}}]}]}]}`},
		{"Connector", `{"platform":"aws","settings":{"region":"eu","secretKey":"${env:KEY}","tokenUrl":"https://x.example.com"}}`},
		{"Trail", `{"select":["api.*"],"retention":"400d"}`},
		{"Alarm", `{"condition":"event.outcome == 'refused'","severity":"high"}`},
		{"Webhook", `{"url":"https://hooks.example.com/x","secret":"${vault:kv/hooks#key}"}`},
		{"Portal", `{"host":"portal.example.com","audience":"partner"}`},
		{"PolicySet", `{"policies":["cors",{"rate-limit":{"requests":1,"per":"1s"}}]}`},
		{"Backend", `{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:8081"},{"url":"https://[2001:db8::1]:8443/base","weight":9}],"timeout":"10s","retries":{"attempts":2,"on":["connect-failure","503"]},"health":{"path":"/healthz","interval":"5s"},"tls":{"insecure":true}}}}`},
		{"API", `{"framework":"corporate","audience":"partner","data":{"classification":"confidential","personal":true,"jurisdictions":["EU"]},"versions":[{"name":"v1","path":"/orders/v1","definition":"../orders.yaml","operations":{"POST /orders":{"policies":[{"policy-set":"other/base"}]}},"deprecation":{"since":"2027-01-01","sunset":"2027-06-01","successor":"v2"}},{"name":"v2","path":"/"}]}`},
		{"Product", `{"apis":["orders","billing/invoices@v2"],"plans":[{"name":"gold","approval":"manual","rateLimit":{"requests":500,"per":"1s"},"quota":{"requests":10,"per":"month"},"sla":{"availability":99.9,"latency":{"p95":"200ms"},"support":{"firstResponse":"1h"}},"expires":"30d"}]}`},
		{"Application", `{"clients":[{"issuer":"https://id.example.com","clientId":"abc"}]}`},
		{"Subscription", `{"application":"app","product":"payments/commerce","plan":"gold","environment":"dev"}`},
	}
	kinds := make(map[Kind]bool)
	for _, tt := range tests {
		if got := problems(doc(tt.kind, tt.spec)); got != "" {
			t.Errorf("%s %s:\n%s", tt.kind, tt.spec, got)
		}
		kinds[Kind(tt.kind)] = true
	}
	for _, k := range Kinds {
		if !kinds[k.Kind] {
			t.Errorf("no document of kind %s is tried", k.Kind)
		}
	}
}

func TestDocumentsThatAreRefused(t *testing.T) {
	backend := func(env string) string { return doc("Backend", `{"environments":{"dev":`+env+`}}`) }
	version := func(v string) string { return doc("API", `{"versions":[`+v+`]}`) }
	plan := func(p string) string { return doc("Product", `{"apis":["a"],"plans":[`+p+`]}`) }
	tests := []struct{ name, text, want string }{
		{"no JSON", `{`, "is not JSON"},
		{"no map", `[]`, "is not a document"},
		{"two values", `{} {}`, "more after"},
		{"key twice", `{"kind":"Team","kind":"Team"}`, `kind: key "kind" stands twice`},
		{"no kind", `{}`, "kind is missing"},
		{"unknown kind", doc("Api2", "{}"), `kind: unknown kind "Api2"; did you mean "API"?`},
		{"letter case", doc("api", "{}"), `did you mean "API"?`},
		{"no apiVersion", `{"kind":"Team","metadata":{"name":"x"},"spec":{}}`, "apiVersion is missing: gatehouse/v1"},
		{"other apiVersion", strings.Replace(doc("Team", "{}"), "/v1", "/v2", 1), `apiVersion: "gatehouse/v2" is not`},
		{"no team", strings.Replace(doc("Backend", "{}"), `"team":"t",`, "", 1), "metadata: team is missing"},
		{"team too much", strings.Replace(doc("Team", "{}"), `"name"`, `"team":"t","name"`, 1), `metadata.team: a Team belongs to the organization`},
		{"bad name", strings.Replace(doc("Team", "{}"), `"x"`, `"X y"`, 1), `metadata.name: "X y" is not a name`},
		{"unknown field deep", backend(`{"targets":[{"url":"http://a","wieght":1}]}`), `spec.environments.dev.targets[0].wieght: unknown field "wieght"; did you mean "weight"?`},
		{"fields by case", doc("Team", `{"Title":"x"}`), `spec.Title: unknown field "Title"; did you mean "title"?`},
		{"empty item", doc("Team", `{"members":[null]}`), "spec.members[0]: item 0 of the list is empty"},
		{"fraction", plan(`{"name":"a","rateLimit":{"requests":1.5,"per":"1s"}}`), "1.5 is not a whole number"},
		{"huge number", plan(`{"name":"a","rateLimit":{"requests":99999999999999999999,"per":"1s"}}`), "is not a whole number in range"},
		{"duration without unit", backend(`{"targets":[{"url":"http://a"}],"timeout":10}`), "spec.environments.dev.timeout: a duration is text with a unit"},
		{"negative duration", backend(`{"targets":[{"url":"http://a"}],"timeout":"-1s"}`), `"-1s" is not a duration`},
		{"no targets", backend(`{"targets":[]}`), "targets: is empty"},
		{"URL without scheme", backend(`{"targets":[{"url":"orders:80"}]}`), `"orders:80" is not a URL`},
		{"URL with password", backend(`{"targets":[{"url":"http://u:p4ss@a"}]}`), "carries a user or password"},
		{"URL of another scheme", backend(`{"targets":[{"url":"file:///etc/passwd"}]}`), "is not a URL"},
		{"port", backend(`{"targets":[{"url":"http://a:99999"}]}`), `"99999" is not a port`},
		{"weight of zero", backend(`{"targets":[{"url":"http://a","weight":0}]}`), "0 is no weight"},
		{"target twice", backend(`{"targets":[{"url":"http://a"},{"url":"http://a"}]}`), `targets[1].url: "http://a" stands twice`},
		{"retry on success", backend(`{"targets":[{"url":"http://a"}],"retries":{"on":["200"]}}`), `"200" is not a reason to try again`},
		{"key in clear", backend(`{"targets":[{"url":"https://a"}],"tls":{"cert":"${file:c.pem}","key":"s3cr3t"}}`), "tls.key: secrets do not stand in files"},
		{"private key as certificate", backend(`{"targets":[{"url":"https://a"}],"tls":{"ca":"-----BEGIN PRIVATE KEY-----"}}`), "holds a private key"},
		{"webhook secret in clear", doc("Webhook", `{"url":"https://a.example","secret":"s3cr3t"}`), "spec.secret: secrets do not stand in files"},
		{"connector secret in clear", doc("Connector", `{"platform":"aws","settings":{"a":[{"client_secret":"s3cr3t"}]}}`), "spec.settings.a[0].client_secret: secrets do not stand in files"},
		{"no versions", doc("API", `{}`), "spec.versions: is empty"},
		{"version twice", version(`{"name":"v1","path":"/a"},{"name":"v1","path":"/b"}`), `versions[1].name: "v1" stands twice, first at index 0`},
		{"path without slash", version(`{"name":"v1","path":"a"}`), `versions[0].path: "a" is not a base path`},
		{"path with slash at the end", version(`{"name":"v1","path":"/a/"}`), `"/a/" is not a base path`},
		{"path with parameter", version(`{"name":"v1","path":"/a/{id}"}`), "a base path has no parameters"},
		{"path with dots", version(`{"name":"v1","path":"/a/../b"}`), "are not segments of a base path"},
		{"encoded path", version(`{"name":"v1","path":"/a%2fb"}`), "is not a base path"},
		{"host with port", version(`{"name":"v1","path":"/a","hosts":["a.example:80"]}`), "leave out the port"},
		{"host with scheme", version(`{"name":"v1","path":"/a","hosts":["https://a.example"]}`), "leave out the scheme"},
		{"host in capitals", version(`{"name":"v1","path":"/a","hosts":["API.example"]}`), "write it in lower case"},
		{"absolute definition", version(`{"name":"v1","path":"/a","definition":"/etc/passwd"}`), "a definition is a relative path"},
		{"definition by URL", version(`{"name":"v1","path":"/a","definition":"https://a.example/a"}`), "not a URL"},
		{"lifecycle", version(`{"name":"v1","path":"/a","lifecycle":"live"}`), `"live" is not one of "design", "published", "deprecated" or "retired"`},
		{"sunset before", version(`{"name":"v1","path":"/a","deprecation":{"since":"2027-06-01","sunset":"2027-01-01"}}`), "is before since"},
		{"date", version(`{"name":"v1","path":"/a","deprecation":{"since":"2027-02-30"}}`), "is not a date"},
		{"two policies in one map", version(`{"name":"v1","path":"/a","policies":[{"cors":{},"jwt":{}}]}`), "policies[0]: a policy is a map with one key"},
		{"configuration is a list", version(`{"name":"v1","path":"/a","policies":[{"cors":[]}]}`), "the configuration of cors is a map"},
		{"policy set without name", version(`{"name":"v1","path":"/a","policies":[{"policy-set":{}}]}`), "is not the name of a policy set"},
		{"attachment by id without definition", version(`{"name":"v1","path":"/a","operations":{"list":{}}}`), "without a definition an operation is method and path"},
		{"set in a set", doc("PolicySet", `{"policies":[{"policy-set":"a"}]}`), "cannot include another one"},
		{"no APIs", doc("Product", `{"plans":[{"name":"a"}]}`), "spec.apis: is empty"},
		{"no plans", doc("Product", `{"apis":["a"]}`), "spec.plans: is empty"},
		{"plan twice", plan(`{"name":"a"},{"name":"a"}`), `plans[1].name: "a" stands twice`},
		{"API by revision", doc("Product", `{"apis":["a@v1#3f9c2a"],"plans":[{"name":"a"}]}`), "names a revision"},
		{"API reference", doc("Product", `{"apis":["a/b/c"],"plans":[{"name":"a"}]}`), "does not name an API"},
		{"limit of nothing", plan(`{"name":"a","rateLimit":{"requests":0,"per":"1s"}}`), "0 is not a limit"},
		{"limit per month", plan(`{"name":"a","rateLimit":{"requests":1,"per":"30d"}}`), "is not a period of a rate limit"},
		{"quota per minute", plan(`{"name":"a","quota":{"requests":1,"per":"minute"}}`), `"minute" is not one of "hour", "day", "week" or "month"`},
		{"availability", plan(`{"name":"a","sla":{"availability":100.1}}`), "100.1 is not a percentage"},
		{"latency upside down", plan(`{"name":"a","sla":{"latency":{"p95":"1s","p99":"1ms"}}}`), `"1s" is longer than p99`},
		{"nobody", doc("RoleAssignment", `{"subject":"alice","role":"a","scope":"organization"}`), `"alice" names nobody`},
		{"scope", doc("RoleAssignment", `{"subject":"user:a","role":"a","scope":"payments"}`), `"payments" is not a scope`},
		{"scope without team", doc("RoleAssignment", `{"subject":"user:a","role":"a","scope":"API/orders"}`), `one API is "API/team/name"`},
		{"expiry", doc("RoleAssignment", `{"subject":"user:a","role":"a","scope":"organization","expires":"soon"}`), `"soon" is neither a date`},
		{"permission", doc("Role", `{"permissions":["Read All"]}`), `"Read All" is not a permission`},
		{"stage", doc("Environment", `{"stage":"test"}`), `"test" is not one of`},
		{"key header", doc("Environment", `{"stage":"dev","keyHeader":"Transfer-Encoding"}`), "belongs to the connection"},
		{"two checks", doc("Framework", `{"versions":[{"name":"1","controls":[{"id":"a","check":{"cel":{"expression":"x"},"lint":{"ruleset":"spectral:oas"}}}]}]}`), "a control has exactly one of lint, policy"},
		{"two in force", doc("Framework", `{"versions":[{"name":"1","state":"in-force"},{"name":"2","state":"in-force"}]}`), `"1" is in force already`},
		{"retention", doc("Trail", `{"retention":"1h"}`), "is less than a day"},
		{"webhook over http", doc("Webhook", `{"url":"http://a.example"}`), "is not a URL"},
		{"deep", doc("Connector", `{"settings":`+strings.Repeat("[", 200)+strings.Repeat("]", 200)+`}`), "nested deeper"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := problems(tt.text); !strings.Contains(got, tt.want) {
				t.Errorf("got:\n%s\nwant %q within", got, tt.want)
			}
		})
	}
}

func TestSecretsAreNotRepeatedInFaults(t *testing.T) {
	for _, text := range []string{
		doc("Webhook", `{"url":"https://a.example","secret":"s3cr3t"}`),
		doc("Connector", `{"platform":"aws","settings":{"password":"s3cr3t"}}`),
		doc("Backend", `{"environments":{"dev":{"targets":[{"url":"https://u:s3cr3t@a"}],"tls":{"key":"s3cr3t"}}}}`),
	} {
		if got := problems(text); strings.Contains(got, "s3cr3t") || got == "" {
			t.Errorf("got %q", got)
		}
	}
}

func TestEqualMeaningHasOneRevision(t *testing.T) {
	forms := []string{
		`{"team":"t","name":"n","version":{"name":"v1","path":"/a","policies":[{"rate-limit":{"requests":1,"per":"60s"}}]},"data":{"jurisdictions":["EU"]}}`,
		`{"name":"n", "team":"t","data":{"jurisdictions":["EU"]},"version":{"path":"\/a","policies":[{"rate-limit":{"per":"60s","requests":1}}],"name":"v1"}}`,
	}
	var hashes []string
	for _, text := range forms {
		var f RevisionForm
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			t.Fatal(err)
		}
		h, err := f.Hash()
		if err != nil || len(h) != 64 {
			t.Fatal(h, err)
		}
		hashes = append(hashes, h)
	}
	if hashes[0] != hashes[1] {
		t.Errorf("hashes differ: %v", hashes)
	}
	other := RevisionForm{Team: "t", Name: "n", Version: Version{Name: "v1", Path: "/b"}}
	if h, _ := other.Hash(); h == hashes[0] {
		t.Error("another path has the same revision")
	}
}

func TestReferencesComeApart(t *testing.T) {
	tests := []struct{ ref, want string }{
		{"orders", "t orders  "}, {"payments/orders", "payments orders  "}, {"payments/orders@v1", "payments orders v1 "},
		{"payments/orders@v1#3f9c2a", "payments orders v1 3f9c2a"}, {"", "t   "},
	}
	for _, tt := range tests {
		team, name, version, revision := ParseVersionRef(tt.ref, "t")
		if got := strings.Join([]string{team, name, version, revision}, " "); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.ref, got, tt.want)
		}
	}
}

func TestEveryFieldIsNamedInFiles(t *testing.T) {
	for _, k := range Kinds {
		text, err := jsonx.Marshal(&Object{APIVersion: APIVersion, Kind: k.Kind, Metadata: Metadata{Team: "t", Name: "x"}, Spec: k.New()})
		if err != nil {
			t.Fatal(err)
		}
		var back Object
		if err := json.Unmarshal(text, &back); err != nil {
			t.Errorf("%s: %v", k.Kind, err)
			continue
		}
		again, _ := jsonx.Marshal(&back)
		if d := cmp.Diff(string(text), string(again)); d != "" {
			t.Errorf("%s: %s", k.Kind, d)
		}
	}
}

func FuzzDecodeObject(f *testing.F) {
	f.Add([]byte(doc("Team", "{}")))
	f.Add([]byte(doc("API", `{"versions":[{"name":"v1","path":"/a","policies":[{"cors":{}}]}]}`)))
	f.Add([]byte(doc("Backend", `{"environments":{"dev":{"targets":[{"url":"http://[::1%25eth0]:80"}],"timeout":"1s"}}}`)))
	f.Add([]byte(`{"kind":"Team","metadata":null,"spec":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := DecodeObject(data)
		if err != nil {
			if !Is(err, Invalid) || len(err.(*Error).Faults) == 0 {
				t.Fatalf("an error without faults: %v", err)
			}
			return
		}
		text, err := o.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeObject(text)
		if err != nil {
			t.Fatalf("what passed does not pass again: %v\n%s", err, text)
		}
		if second, _ := again.Canonical(); string(second) != string(text) {
			t.Fatalf("canonical form moves: %s, then %s", text, second)
		}
	})
}

func FuzzParseVersionRef(f *testing.F) {
	f.Add("payments/orders@v1#3f9c2a")
	f.Add("@#/")
	f.Fuzz(func(t *testing.T, ref string) {
		c := NewChecker("x")
		c.VersionReference(ref)
		team, name, version, revision := ParseVersionRef(ref, "t")
		if len(c.Faults()) > 0 {
			return
		}
		back := team + "/" + name
		if version != "" {
			back += "@" + version
		}
		if revision != "" {
			back += "#" + revision
		}
		if back != ref && back != "t/"+ref {
			t.Fatalf("%q passed and came back as %q", ref, back)
		}
	})
}

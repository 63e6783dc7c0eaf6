package document_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"gatehouse"
	"gatehouse/control/governance/document"
	"gatehouse/control/governance/framework"
	"gatehouse/store"
	"gatehouse/store/memory"
)

var update = flag.Bool("update", false, "rewrite golden files")

const spec = `{"apiVersion":"gatehouse/v1","kind":"Framework","metadata":{"name":"corporate"},"spec":{"title":"Corporate","summary":"How we expose APIs.","versions":[{"name":"2026.1","validUntil":"2027-12-31",
"controls":[
 {"id":"sec-001","title":"Nobody calls unnamed","text":"Callers have names.\n\nSo that somebody can be asked.","severity":"high","mappings":{"owasp-api-2023":["API2","API10"],"gdpr":["Art. 32(1)(b)"]},"grace":"30d","applies":{"stages":["prod"],"audiences":["partner","public"]},"check":{"cel":{"expression":"version.access != 'open'"}}},
 {"id":"lim-001","mappings":{"owasp-api-2023":["API4"]},"check":{"policy":{"name":"rate-limit","condition":"config.requests <= 1000","operations":{"methods":["POST"],"except":["ping"]}}}},
 {"id":"def-001","level":"advisory","check":{"lint":{"ruleset":"spectral:oas","rules":["operation-operationId"],"failOn":"warn"}}},
 {"id":"loc-001","check":{"placement":{"data":true,"rules":[{"personal":true,"jurisdictions":["EU"],"networks":["private"]}]}}},
 {"id":"chg-001","check":{"change":{"ignore":["api-removed"]}}},
 {"id":"ask-001","check":{"question":{"text":"Is there a threat model?","evidence":true,"confirm":"compliance","lasts":"365d"}}}],
"policies":[{"policies":[{"body-limit":{"bytes":"10MB"}}]},{"stages":["prod"],"audiences":["public"],"policies":[{"policy-set":"platform/edge"}]}],
"service":{"summary":"APIs for every team.","team":"platform","functional":{"clouds":[{"cloud":"aws","regions":["eu-central-1"],"note":"main"}],"networks":[{"network":"public","note":"partners"}],"access":"By the gateway.",
 "stages":[{"stage":"prod","note":"the real thing"},{"stage":"dev","note":"to try"}],"resources":{"access":"Console.","add":"Apply a file.","remove":"Delete it.","configure":"Change the file."},
 "automation":[{"name":"Release","trigger":"a tag","does":"plan, gate, apply","pipeline":"one job"}],"secureConfiguration":["Keys are never in files."]},
 "nonFunctional":{"request":"Ask.","onboarding":["Ask","Wait"],"support":{"contact":"help@example.com","hours":"Mon-Fri 9-17 Europe/Berlin","docs":"https://wiki.example.com/apis"},"serviceLevels":[{"name":"Availability","objective":"99.9 %"}],
  "terms":"Be kind.","responsibilities":[{"task":"Patch gateways","provider":"RA","consumer":"I"}],"contacts":{"incidents":"soc@example.com"}}}}]}}`

func seed(t *testing.T, records map[string]string) store.DB {
	t.Helper()
	db := memory.New()
	b := store.Batch{Events: []*gatehouse.Event{{Actor: "system", Authentication: "none", Action: "test", Outcome: gatehouse.Allowed}}}
	for key, spec := range records {
		kind, _, _ := strings.Cut(key, "/")
		w := store.Write{Key: key, Kind: kind, Value: []byte(`{"object":{"spec":` + spec + `}}`), Expect: store.Any}
		if kind == "API" {
			w.Index = map[string]string{"framework": "corporate"}
		}
		b.Writes = append(b.Writes, w)
	}
	if _, err := db.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return db
}

func view(t *testing.T, doc string) *framework.View {
	t.Helper()
	o, err := gatehouse.DecodeObject([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	f := o.Spec.(*gatehouse.Framework)
	text := f.TextOf("corporate", "2026.1", nil)
	text.PolicySets = map[string][]gatehouse.PolicyUse{"platform/edge": {{Name: "ip-filter", Config: json.RawMessage(`{"allow":["10.0.0.0/8"]}`)}}}
	return &framework.View{
		Framework: "corporate", Version: "2026.1", Title: f.Title, Summary: f.Summary, Text: text,
		FrameworkVersionState: gatehouse.FrameworkVersionState{State: gatehouse.Approved, Hash: "aa", Since: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)},
		Decisions: []gatehouse.Decision{
			{Digest: "00", Decision: gatehouse.Rejected, By: "user:dave@example.com", Comment: "an earlier text"},
			{Digest: "aa", Decision: gatehouse.Approved, By: "user:carol@example.com", Time: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Comment: "as agreed"},
		},
	}
}

var live = map[string]string{
	"Environment/prod": `{"stage":"prod","hosts":["api.example.com"],"jurisdiction":"EU","release":{"mode":"approved","after":["dev"]},"policies":[{"cors":{}}]}`,
	"Environment/dev":  `{"stage":"dev","title":"To try"}`,
	"Gateway/prod-eu":  `{"environment":"prod","location":{"cloud":"aws","region":"eu-central-1","jurisdiction":"EU","network":"public"},"url":"https://api.example.com"}`,
	"Team/platform":    `{"title":"Platform","contacts":{"email":"platform@example.com","onCall":"+49 30 0"}}`,
	"Team/payments":    `{"title":"Payments","contacts":{"email":"payments@example.com"}}`,
	"Team/idle":        `{"title":"Idle"}`,
	"API/payments/a":   `{}`, "API/payments/b": `{}`, "API/platform/c": `{}`,
	"Product/payments/commerce": `{"apis":["a"],"plans":[{"name":"gold","approval":"manual","rateLimit":{"requests":500,"per":"1s"},"quota":{"requests":1000,"per":"month"},"sla":{"availability":99.9,"support":{"firstResponse":"1h"}}}]}`,
	"Product/payments/secret":   `{"apis":["a"],"plans":[{"name":"hidden"}]}`,
	"Product/idle/other":        `{"apis":["z"],"plans":[{"name":"elsewhere"}]}`,
	"Product/platform/own":      `{"apis":["c"],"plans":[{"name":"free","approval":"automatic"}]}`,
}

var now = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

func see(kind gatehouse.Kind, team, name string) bool { return name != "secret" }

func TestGolden(t *testing.T) {
	page, err := document.Of(t.Context(), seed(t, live), view(t, spec), now, see)
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string][]byte{"testdata/corporate.md": page.Markdown(), "testdata/corporate.html": page.HTML()} {
		if *update {
			if err := os.WriteFile(name, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != string(got) {
			t.Errorf("%s differs; run with -update and look at it", name)
		}
	}
}

// What is approved shows no other team's objects; what is live, those that the
// reader may see.
func TestWhoSeesWhat(t *testing.T) {
	db := seed(t, live)
	for name, tt := range map[string]struct {
		see        func(gatehouse.Kind, string, string) bool
		have, lack []string
	}{
		"all but the secret": {see, []string{"gold", "free", "payments@example.com", "platform@example.com"}, []string{"hidden", "elsewhere", "Idle"}},
		"the provider's":     {nil, []string{"free", "platform@example.com", "prod-eu"}, []string{"gold", "hidden", "payments@example.com"}},
	} {
		page, err := document.Of(t.Context(), db, view(t, spec), now, tt.see)
		if err != nil {
			t.Fatal(err)
		}
		text := string(page.Markdown())
		for _, w := range tt.have {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is missing", name, w)
			}
		}
		for _, w := range tt.lack {
			if strings.Contains(text, w) {
				t.Errorf("%s: %q is shown", name, w)
			}
		}
	}
}

// It changes with what is live, and with nothing else.
func TestLive(t *testing.T) {
	text := func(change map[string]string) string {
		records := map[string]string{}
		for k, v := range live {
			records[k] = v
		}
		for k, v := range change {
			records[k] = v
		}
		page, err := document.Of(t.Context(), seed(t, records), view(t, spec), now, see)
		if err != nil {
			t.Fatal(err)
		}
		return string(page.Markdown())
	}
	if text(nil) != text(nil) {
		t.Error("the same state gives two documents")
	}
	for what, change := range map[string]map[string]string{
		"sandbox":              {"Environment/sandbox": `{"stage":"dev"}`},
		"gw-azure":             {"Gateway/gw-azure": `{"environment":"dev","location":{"cloud":"azure"}}`},
		"oncall@example.com":   {"Team/platform": `{"contacts":{"onCall":"oncall@example.com"}}`},
		"platinum":             {"Product/payments/commerce": `{"apis":["a"],"plans":[{"name":"platinum"}]}`},
		"api.changed.example":  {"Environment/prod": `{"stage":"prod","hosts":["api.changed.example"]}`},
		"environment prod":     {},
		"payments@example.com": {},
	} {
		if !strings.Contains(text(change), what) {
			t.Errorf("%q is not in the document", what)
		}
	}
}

// elements are the tags and attributes a document may have.
var elements = map[string][]string{
	"html": {"lang"}, "head": nil, "meta": {"charset", "name", "content", "http-equiv"}, "title": nil, "style": nil, "body": nil, "a": {"class", "href", "rel"},
	"header": nil, "nav": {"aria-label"}, "main": {"id"}, "h1": nil, "h2": {"id"}, "h3": {"id"}, "p": nil, "br": nil, "ul": nil, "ol": nil, "li": nil, "dl": nil, "dt": nil, "dd": nil,
	"div": {"class", "tabindex", "role", "aria-label"}, "table": nil, "caption": nil, "thead": nil, "tbody": nil, "tr": nil, "th": {"scope"}, "td": nil,
}

// Whatever stands in any text of a framework and of the objects around it, the
// page has our elements only, links lead to http, https, mail and headings, and
// every element is closed.
func TestNothingTypedIsMarkup(t *testing.T) {
	for _, evil := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</td></table><iframe src="//x">`, `javascript:alert(1)`, `https://x.example/"onmouseover="alert(1)`,
		`</title><script>x</script>`, `</style><script>x</script>`, "a|b\n| --- |\n# head\n- item\n<b>", `[x](javascript:alert(1))`, `&lt;script&gt;`, "\u202e\u0000\u001b[31m", "`code` *b* _i_ ~~s~~", `data:text/html,<script>x</script>`,
	} {
		quoted, err := json.Marshal(strings.ReplaceAll(evil, "\u0000", ""))
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		if err := json.Unmarshal([]byte(spec), &tree); err != nil {
			t.Fatal(err)
		}
		var text string
		if err := json.Unmarshal(quoted, &text); err != nil {
			t.Fatal(err)
		}
		poison(tree, text)
		raw, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		records := map[string]string{
			"Environment/prod":          fmt.Sprintf(`{"stage":"prod","title":%s,"jurisdiction":%[1]s}`, quoted),
			"Gateway/g":                 fmt.Sprintf(`{"environment":"prod","title":%s,"url":%[1]s}`, quoted),
			"Team/platform":             fmt.Sprintf(`{"title":%s,"contacts":{"email":%[1]s,"onCall":%[1]s,"channel":%[1]s}}`, quoted),
			"Team/payments":             fmt.Sprintf(`{"title":%s}`, quoted),
			"API/payments/a":            `{}`,
			"Product/payments/commerce": fmt.Sprintf(`{"apis":["a"],"plans":[{"name":%s}]}`, quoted),
		}
		v := view(t, string(raw))
		v.Title, v.Decisions[1].Comment = text, text
		page, err := document.Of(t.Context(), seed(t, records), v, now, see)
		if err != nil {
			t.Fatal(err)
		}
		checkHTML(t, evil, string(page.HTML()))
		checkMarkdown(t, evil, string(page.Markdown()))
	}
}

// poison puts evil into every text that people write freely.
func poison(tree any, evil string) {
	free := []string{"title", "summary", "text", "note", "access", "add", "remove", "configure", "trigger", "does", "pipeline", "request", "objective", "terms", "task", "message", "contact", "hours", "docs"}
	switch x := tree.(type) {
	case map[string]any:
		for k, v := range x {
			if _, ok := v.(string); ok && slices.Contains(free, k) {
				x[k] = evil
				continue
			}
			if list, ok := v.([]any); ok && (k == "secureConfiguration" || k == "onboarding") {
				list[0] = evil
			}
			poison(v, evil)
		}
	case []any:
		for _, v := range x {
			poison(v, evil)
		}
	}
}

func checkHTML(t *testing.T, evil, page string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(page))
	var open []string
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF {
				t.Errorf("%q: %v", evil, z.Err())
			}
			if len(open) > 0 {
				t.Errorf("%q: left open: %v", evil, open)
			}
			return
		case html.StartTagToken:
			tag := z.Token()
			allowed, ok := elements[tag.Data]
			if !ok {
				t.Errorf("%q: element <%s>", evil, tag.Data)
			}
			for _, a := range tag.Attr {
				if !slices.Contains(allowed, a.Key) {
					t.Errorf("%q: attribute %s=%q of <%s>", evil, a.Key, a.Val, tag.Data)
				}
				if scheme, _, _ := strings.Cut(a.Val, ":"); a.Key == "href" && !strings.HasPrefix(a.Val, "#") && !slices.Contains([]string{"http", "https", "mailto"}, scheme) {
					t.Errorf("%q: link to %q", evil, a.Val)
				}
			}
			if tag.Data != "meta" && tag.Data != "br" {
				open = append(open, tag.Data)
			}
		case html.EndTagToken:
			tag := z.Token()
			if len(open) == 0 || open[len(open)-1] != tag.Data {
				t.Errorf("%q: </%s> closes nothing of %v", evil, tag.Data, open)
				return
			}
			open = open[:len(open)-1]
		}
	}
}

// checkMarkdown holds that no character that begins markup stands free of a
// backslash within what was typed.
func checkMarkdown(t *testing.T, evil, page string) {
	t.Helper()
	for n, l := range strings.Split(page, "\n") {
		body := strings.TrimLeft(l, "#- 0123456789.")
		body = strings.ReplaceAll(body, "**", "")
		for _, special := range []string{"<", "[", "`", "]("} {
			for i := strings.Index(body, special); i >= 0; {
				if i == 0 || body[i-1] != '\\' {
					t.Errorf("%q: line %d: %q is free in %q", evil, n+1, special, l)
				}
				next := strings.Index(body[i+1:], special)
				if next < 0 {
					break
				}
				i += 1 + next
			}
		}
		if strings.ContainsAny(l, "\x1b\r") {
			t.Errorf("%q: line %d holds a control character", evil, n+1)
		}
	}
}

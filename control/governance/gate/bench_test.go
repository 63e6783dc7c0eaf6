package gate_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/governance/gate"
	"gatehouse/control/release"
	"gatehouse/store"
)

// many is a framework version of 60 controls, half of them rules of a ruleset.
func many() string {
	var b strings.Builder
	b.WriteString("[")
	rules := []string{
		"operation-description", "operation-operationId", "operation-tags", "operation-success-response", "operation-operationId-unique", "operation-parameters",
		"info-contact", "info-description", "info-license", "license-url", "no-eval-in-markdown", "no-script-tags-in-markdown", "openapi-tags", "openapi-tags-alphabetical",
		"openapi-tags-uniqueness", "operation-operationId-valid-in-url", "operation-singular-tag", "operation-tag-defined", "path-declarations-must-exist", "path-keys-no-trailing-slash",
		"path-not-include-query", "path-params", "contact-properties", "duplicated-entry-in-enum", "tag-description", "typed-enum", "oas3-api-servers", "oas3-examples-value-or-externalValue",
		"oas3-operation-security-defined", "oas3-parameter-description",
	}
	for _, r := range rules {
		fmt.Fprintf(&b, `{id: lint-%s, level: advisory, check: {lint: {ruleset: "spectral:oas", rules: [%s], failOn: warn}}},`, r, r)
	}
	for i := range 12 {
		fmt.Fprintf(&b, `{id: jwt-%d, check: {policy: {name: jwt, condition: 'config.audiences.exists(a, a != "x%d")'}}},`, i, i)
	}
	for i := range 14 {
		fmt.Fprintf(&b, `{id: cel-%d, check: {cel: {each: operation, expression: 'operation.method != "TRACE" && operation.path != "/x%d" && api.audience != "public"'}}},`, i, i)
	}
	b.WriteString(`{id: place, check: {placement: {data: true}}},{id: unbroken, check: {change: {}}},`)
	b.WriteString(`{id: grown, level: advisory, check: {question: {text: "Reviewed?", dependsOn: [data]}}},{id: asked, level: advisory, check: {question: {text: "Tested?", dependsOn: [operations]}}}]`)
	return b.String()
}

// large is a definition of n operations.
func large(n int, title string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "openapi: 3.1.0\ninfo: {title: %s, version: \"1\", description: One of many}\nservers: [{url: \"https://api.example.com\"}]\npaths:\n", title)
	for i := range n / 2 {
		fmt.Fprintf(&b, `  /things%d/{id}:
    parameters: [{name: id, in: path, required: true, description: which, schema: {type: string}}]
    get:
      operationId: getThing%d
      description: Reads one thing of kind %d.
      tags: [things]
      responses:
        "200": {description: the thing, content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}}
        "404": {description: there is none}
    put:
      operationId: putThing%d
      description: Writes one thing of kind %d.
      tags: [things]
      requestBody: {content: {application/json: {schema: {$ref: "#/components/schemas/Thing"}}}}
      responses: {"204": {description: done}}
`, i, i, i, i, i)
	}
	b.WriteString("components:\n  schemas:\n    Thing: {type: object, required: [id], properties: {id: {type: string}, kind: {type: string, enum: [a, b, c]}, size: {type: integer, minimum: 0}}}\n")
	return b.String()
}

// BenchmarkGate is the gate of an API with 200 operations and 60 controls, 30 of
// them lint rules, asked for the first time.
func BenchmarkGate(b *testing.B) {
	w := newWorld(b)
	w.apply(api(), large(200, "Orders"))
	w.enforce("2026.1", many())
	target := w.target()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer() // nothing is remembered, neither in memory nor on record
		g := gate.New(w.trail, w.signer, slog.New(slog.DiscardHandler))
		w.forget(target)
		b.StartTimer()
		r, err := g.Run(w.ctx, target)
		if err != nil || r.Result.Outcome != gatehouse.GatePassed || len(r.Result.Controls) != 60 {
			b.Fatalf("%v: %+v", err, r)
		}
	}
}

// forget takes away what is on record of a target.
func (w *world) forget(t gate.Target) {
	w.t.Helper()
	for key, kind := range map[string]string{
		gatehouse.GateResultKey(t.Environment, t.Team, t.Name, t.Version, true): "GateResult", gatehouse.GateResultKey(t.Environment, t.Team, t.Name, t.Version, false): "GateResult",
		gatehouse.AttestationKey(t.Environment, t.Team, t.Name, t.Version, t.Revision): "Attestation",
	} {
		if _, err := w.db.Apply(w.ctx, store.Batch{Writes: []store.Write{{Key: key, Kind: kind, Expect: store.Any}}}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// BenchmarkReevaluation is a new framework version over many released APIs of 20
// operations each, in milliseconds an API.
func BenchmarkReevaluation(b *testing.B) {
	const apis = 200
	w := newWorld(b)
	for i := range apis {
		name := fmt.Sprint("api", i)
		w.apply(strings.NewReplacer("name: orders}", "name: "+name+"}", "path: /orders/v1", "path: /"+name).Replace(api()), large(20, name))
		if _, err := w.Release(w.ctx, catalog.Ref{Team: "payments", Name: name, Version: "v1"}, "prod", release.Terms{}); err != nil {
			b.Fatal(err)
		}
	}
	version := 0
	for b.Loop() {
		b.StopTimer()
		version++
		w.enforce(fmt.Sprint("2026.", version), strings.ReplaceAll(many(), "x0", fmt.Sprint("y", version)))
		w.later(time.Hour)
		b.StartTimer()
		n, err := w.gate.Pass(context.Background())
		if err != nil || n < apis {
			b.Fatalf("looked at %d, %v", n, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N*apis), "ms/api")
}

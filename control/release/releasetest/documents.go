package releasetest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/jsonx"
)

// Documents and the definition of [Base].
const (
	TeamDoc    = `{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"payments"},"spec":{}}`
	TeamDoc2   = `{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"billing"},"spec":{}}`
	DevDoc     = `{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"dev"},"spec":{"stage":"dev"}}`
	QADoc      = `{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"qa"},"spec":{"stage":"qa"}}`
	ProdDoc    = `{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"prod"},"spec":{"stage":"prod","hosts":["api.example.com"],"release":{"mode":"approved","after":["qa"]}}}`
	BackendDoc = `{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"payments","name":"orders"},"spec":{"environments":{
		"dev":{"targets":[{"url":"http://127.0.0.1:8081"}]},"qa":{"targets":[{"url":"http://127.0.0.1:8082"}]},"prod":{"targets":[{"url":"https://orders.example.com"}]}}}}`
	Definition = `openapi: 3.0.3
info: {title: Orders, version: "1"}
paths:
  /orders:
    get: {operationId: listOrders, responses: {"200": {description: ok}}}
    post: {operationId: createOrder, responses: {"201": {description: ok}}}
  /orders/{id}:
    get: {operationId: getOrder, responses: {"200": {description: ok}}}
`
)

// Orders and Cart are the versions that the documents make.
var (
	Orders = catalog.Ref{Team: "payments", Name: "orders", Version: "v1"}
	Cart   = catalog.Ref{Team: "shop", Name: "cart", Version: "v1"}
)

// Sum is the name of a file's content.
func Sum(data string) string {
	sum := sha256.Sum256([]byte(data))
	return hex.EncodeToString(sum[:])
}

// Docs reads documents, one JSON object a line or separated by blank lines.
func Docs(t *testing.T, texts ...string) (all []catalog.Document) {
	t.Helper()
	for _, text := range texts {
		o, err := gatehouse.DecodeObject([]byte(text))
		if err != nil {
			t.Fatalf("reading %s: %v", text, err)
		}
		all = append(all, catalog.Document{Object: o})
	}
	return all
}

// APIDoc is an API of team payments on backend orders, with the definition.
func APIDoc(t *testing.T, name, path, rest string) catalog.Document {
	t.Helper()
	d := Docs(t, `{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"`+name+`"},"spec":{"versions":[{"name":"v1","definition":"./orders.yaml","path":"`+path+`","backend":"orders"`+rest+`}]}}`)[0]
	d.Files = map[string]string{"./orders.yaml": Sum(Definition)}
	return d
}

// Files are what APIDoc names.
func Files() map[string][]byte {
	return map[string][]byte{Sum(Definition): []byte(Definition)}
}

// Base is two teams, three environments, a backend and API payments/orders.
func Base(t *testing.T) catalog.Request {
	return catalog.Request{Documents: append(Docs(t, TeamDoc, TeamDoc2, DevDoc, QADoc, ProdDoc, BackendDoc), APIDoc(t, "orders", "/orders/v1", "")), Files: Files()}
}

// Town is a world with one API in a manual dev and a prod of the given rule.
func Town(t *testing.T, prodRule string) *World {
	w := New(t)
	w.MustApply(catalog.Request{Documents: Docs(t,
		`{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"shop"},"spec":{"title":"Shop"}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"dev"},"spec":{"stage":"dev","release":{"mode":"manual"}}}`,
		Prod(prodRule),
		`{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"shop","name":"cart"},"spec":{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:1"}]},"prod":{"targets":[{"url":"http://127.0.0.1:1"}]}}}}`,
		CartDoc("/cart", "1", ""))})
	return w
}

// Prod is the environment prod with a rule for its releases.
func Prod(rule string) string {
	return `{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"prod"},"spec":{"stage":"prod","release":` + rule + `}}`
}

// CartDoc is the API of a town.
func CartDoc(path, step, more string) string {
	return fmt.Sprintf(`{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"shop","name":"cart"},"spec":{"title":"Cart"%s,"versions":[{"name":"v1","path":%q,"backend":"cart","access":"open","policies":[{"headers":{"response":{"set":{"X-Step":%q}}}}]}]}}`, more, path, step)
}

// InSteps is the plan of a canary with a minute for each step.
func InSteps(steps ...int) *gatehouse.CanaryPlan {
	return &gatehouse.CanaryPlan{Steps: steps, Every: jsonx.Duration(time.Minute)}
}

// BoundTeam is the team payments with what it is allowed.
func BoundTeam(spec string) string {
	return `{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"payments"},"spec":{` + spec + `}}`
}

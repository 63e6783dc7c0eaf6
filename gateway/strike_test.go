package gateway

import (
	"testing"

	"gatehouse/snapshot"
)

// What is struck is refused at once, also by tables to come, until it is not
// struck any more.
func TestStrike(t *testing.T) {
	w := standard(t)
	try := func(step string, want int) {
		t.Helper()
		if r := w.do("GET", "/orders/v1/things", "X-API-Key: "+testKey); r.StatusCode != want {
			t.Errorf("%s: got %d, want %d", step, r.StatusCode, want)
		}
	}
	try("before", 200)
	w.g.Strike(&snapshot.Strikes{Keys: []snapshot.Credential{snapshot.KeyCredential(testKey)}})
	try("its key is struck", 401)
	a := openAPI()
	a.Revision = "r2"
	w.api(a)
	w.swap()
	try("another table", 401)
	w.g.Strike(&snapshot.Strikes{Subscriptions: []string{"billing/other"}})
	try("another subscription is struck", 200)
	w.g.Strike(&snapshot.Strikes{Subscriptions: []string{"billing/app-commerce"}})
	try("its subscription is struck", 401)
	w.g.Strike(&snapshot.Strikes{})
	try("after", 200)
}

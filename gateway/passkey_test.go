package gateway

import (
	"net/http"
	"testing"

	"gatehouse/snapshot"
)

// The backend sees the caller's key only where the backend's definition asks for it.
func TestPassKey(t *testing.T) {
	for _, pass := range []bool{true, false} {
		w := newWorld(t, Options{})
		a := orders()
		a.Backend = snapshot.Backend{Name: "t/b", Targets: []snapshot.Target{{URL: w.backend.URL}}, PassKey: pass}
		w.api(a)
		w.set(snapshot.KindProduct, "payments/commerce", &snapshot.Product{Name: "payments/commerce", APIs: []string{"payments/orders@v1"}, Plans: []snapshot.Plan{{Name: "gold"}}})
		w.key(testKey, snapshot.Subscription{Name: "billing/app-commerce", Application: "billing/app", Product: "payments/commerce", Plan: "gold"}, 0)
		if aside := w.swap(); len(aside) > 0 {
			t.Fatal(aside)
		}
		want := ""
		if pass {
			want = testKey
		}
		r := w.do("GET", "/orders/v1/things/1", "X-API-Key: "+testKey)
		if r.StatusCode != http.StatusOK {
			t.Fatalf("got %d: %s", r.StatusCode, r.text)
		}
		if got := w.last().Header.Get("X-Api-Key"); got != want {
			t.Errorf("passKey %v: the backend sees key %q, want %q", pass, got, want)
		}
	}
}

package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"gatehouse/control/audit"
	"gatehouse/store"
	"gatehouse/store/postgres"
	"gatehouse/store/postgres/pgtest"
)

// TestKilledBesideAnother holds that a request whose process was killed runs again
// on another one as soon as that is known, rather than after the minute that one
// may be slow; and that it is not taken over while its process lives.
func TestKilledBesideAnother(t *testing.T) {
	url := pgtest.URL(t)
	open := func() store.DB {
		db, err := postgres.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() }) // closing twice does no harm
		return db
	}
	one, two := open(), open()
	dying, _ := newShopOn(t, one)
	other, _ := newShopOn(t, two)
	for store.Gone(t.Context(), two, store.Process(one)) { // until it has its place
		time.Sleep(10 * time.Millisecond)
	}

	const body = `{"name":"one"}`
	ask := func() *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/tokens", bytes.NewReader([]byte(body)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+dying.admin)
		r.Header.Set("Idempotency-Key", "k")
		w := httptest.NewRecorder()
		other.h.ServeHTTP(w, r)
		return w
	}
	sum := sha256.Sum256([]byte("POST /v1/tokens\n" + body))
	who := sha256.Sum256([]byte("user:admin\nk"))
	r := &reservation{slot: kindIdempotency + "/" + hex.EncodeToString(who[:]), remembered: remembered{
		Request: hex.EncodeToString(sum[:]), Time: time.Now().Add(-2 * settling), By: dying.server.process}}
	if err := dying.server.put(audit.WithRequest(t.Context(), audit.Request{}), r); err != nil {
		t.Fatal(err)
	}
	w := ask()
	if wait, err := strconv.Atoi(w.Header().Get("Retry-After")); w.Code != 409 || err != nil || wait > 2 {
		t.Errorf("while its process lives: %d, Retry-After %q: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	if err := one.Close(); err != nil { // as the server sees a kill: the connections are gone
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); w.Code == 409 && time.Now().Before(end); w = ask() {
		time.Sleep(10 * time.Millisecond)
	}
	if w.Code != 201 {
		t.Errorf("after its process was killed: %d %s", w.Code, w.Body)
	}
}

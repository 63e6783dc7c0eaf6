package control_test

import (
	"testing"

	"gatehouse/link"
)

// TestRest holds that whoever only waits for news is answered when the process
// begins to stop, with what there is: a stop took five seconds for as long as one
// gateway was connected.
func TestRest(t *testing.T) {
	s := newSite(t)
	if _, err := s.c.LocalGateway(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := link.Peer{Gateway: "local", Instance: "one"}
	first, err := s.c.Fleet.Manifest(t.Context(), p, link.Position{}, nil)
	if err != nil || first == nil {
		t.Fatalf("the first manifest: %v, %v", first, err)
	}
	polled, tailed := make(chan error, 1), make(chan answer, 1)
	go func() {
		_, err := s.c.Fleet.Manifest(t.Context(), p, link.Position{Serial: first.Serial, Digest: first.Digest}, nil)
		polled <- err
	}()
	go func() {
		tailed <- s.do(call{token: s.admin, method: "GET", path: "/v1/audit/tail?now=true&wait=60"})
	}()
	s.c.Rest()
	if err := <-polled; err != nil {
		t.Errorf("a gateway that asks for news: %v", err)
	}
	if a := <-tailed; a.status != 200 {
		t.Errorf("who follows the trail: %d %s", a.status, a.body)
	}
}

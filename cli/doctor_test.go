package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestDoctorSeesTheClock asks servers whose clocks are right and wrong; what the
// caller may not see is no fault.
func TestDoctorSeesTheClock(t *testing.T) {
	for _, tt := range []struct {
		off  time.Duration
		ok   bool
		says string
	}{
		{0, true, "as the server's"},
		{5 * time.Second, true, "as the server's"},
		{-5 * time.Minute, false, "ahead of the server's"},
		{time.Hour, false, "behind the server's"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(tt.off).UTC().Format(http.TimeFormat))
			switch r.URL.Path {
			case "/openapi.json":
				_, _ = w.Write([]byte("{}"))
			case "/v1/whoami":
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(`{"subject":"user:bob"}`))
			default:
				w.Header().Set("Content-Type", "application/problem+json")
				w.WriteHeader(403)
				_, _ = w.Write([]byte(`{"type":"https://gatehouse.dev/problems/denied","title":"Forbidden","status":403,"detail":"not yours"}`))
			}
		}))
		_, out, errs := run(t, "doctor", "-o", "json", "--address", s.URL, "--token", "ght_x")
		s.Close()
		var found []finding
		if err := json.Unmarshal([]byte(out), &found); err != nil {
			t.Fatalf("%v: %q %q", err, out, errs)
		}
		seen := false
		for _, f := range found {
			if f.Check == "clock" {
				seen = true
				if f.OK != tt.ok || !strings.Contains(f.Detail, tt.says) {
					t.Errorf("off by %s: %+v", tt.off, f)
				}
			} else if !f.OK {
				t.Errorf("off by %s: %+v", tt.off, f)
			}
		}
		if !seen {
			t.Errorf("no clock among %+v", found)
		}
	}
}

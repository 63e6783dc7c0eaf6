package server

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"gatehouse"
)

// TestProblemsKeepTheDriversAccountInside holds that a caller learns what to
// do, and not which account the database is reached by.
func TestProblemsKeepTheDriversAccountInside(t *testing.T) {
	s := &Server{Options: Options{Log: slog.New(slog.DiscardHandler)}}
	tests := []struct {
		name, text string
		kind       gatehouse.ErrorKind
		status     int
		want, not  string
	}{
		{"a database that is down", "failed to connect to `user=gatehouse database=prod`:\n\t10.0.0.7:5432: refused", gatehouse.Unavailable, 503, "try again", "user="},
		{"a reason of our own", "the trail cannot take a record now", gatehouse.Unavailable, 503, "the trail cannot take", "log"},
		{"a fault inside", "index out of range", gatehouse.Internal, 500, "something went wrong", "index"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := s.problem(t.Context(), gatehouse.E(tt.kind, "reading: %w", errors.New(tt.text)))
			if p.Status != tt.status || !strings.Contains(p.Detail, tt.want) || strings.Contains(p.Detail, tt.not) {
				t.Errorf("%q: got %d %q, want %d with %q and without %q", tt.text, p.Status, p.Detail, tt.status, tt.want, tt.not)
			}
		})
	}
}

package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"gatehouse"
)

type sqlError string

func (e sqlError) Error() string    { return "too many connections" }
func (e sqlError) SQLState() string { return string(e) }

// TestProblemsKeepTheDriversAccountInside holds that a caller learns what to
// do, and not which account the database is reached by.
func TestProblemsKeepTheDriversAccountInside(t *testing.T) {
	s := &Server{Options: Options{Log: slog.New(slog.DiscardHandler)}}
	tests := []struct {
		name      string
		err       error
		kind      gatehouse.ErrorKind
		status    int
		want, not string
	}{
		{"a database that is down", errors.New("failed to connect to `user=gatehouse database=prod`:\n\t10.0.0.7:5432: refused"), gatehouse.Unavailable, 503, "try again", "user="},
		{"a database of one address", fmt.Errorf("failed to connect to `user=gatehouse`: %w", &net.OpError{Op: "dial", Err: errors.New("refused")}), gatehouse.Unavailable, 503, "try again", "user="},
		{"a database that refuses", fmt.Errorf("user gatehouse: %w", sqlError("53300")), gatehouse.Unavailable, 503, "try again", "gatehouse:"},
		{"a reason of our own", errors.New("the trail cannot take a record now"), gatehouse.Unavailable, 503, "the trail cannot take", "log"},
		{"a full disk", errors.New("database or disk is full (13)"), gatehouse.Full, 503, "make room", "(13)"},
		{"a fault inside", errors.New("index out of range"), gatehouse.Internal, 500, "something went wrong", "index"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := s.problem(t.Context(), gatehouse.E(tt.kind, "reading: %w", tt.err))
			if p.Status != tt.status || !strings.Contains(p.Detail, tt.want) || strings.Contains(p.Detail, tt.not) {
				t.Errorf("%q: got %d %q, want %d with %q and without %q", tt.err, p.Status, p.Detail, tt.status, tt.want, tt.not)
			}
		})
	}
}

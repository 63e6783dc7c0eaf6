package spell

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// A fault is told when it begins, when it becomes another, and when it is over,
// with how often it came.
func TestSpell(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	now := time.Unix(1_800_000_000, 0)
	var s Spell
	s.Over(now, log, "well again")
	for i := range 100 {
		s.Met(now.Add(time.Duration(i)*time.Second), 0, log.Error, "ill", "n", i)
	}
	s.Met(now.Add(100*time.Second), 403, log.Error, "ill", "n", 100)
	s.Over(now.Add(101*time.Second), log, "well again")
	s.Over(now.Add(102*time.Second), log, "well again")
	s.Met(now.Add(103*time.Second), 403, log.Error, "ill", "n", 103)
	text := out.String()
	if strings.Count(text, "msg=ill") != 3 || strings.Count(text, "well again") != 1 || !strings.Contains(text, `lasted=1m41s times=101`) {
		t.Errorf("told:\n%s", text)
	}
	if s.Times() != 102 {
		t.Errorf("counted %d, want 102", s.Times())
	}
}

package cli

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"gatehouse/jsonx"
)

// moment turns what people write for a moment into RFC 3339: a date means its
// end in UTC, so that "as of 1 November" has that day in it.
func moment(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if d, err := time.Parse(time.DateOnly, text); err == nil {
		return d.Add(24*time.Hour - time.Second).Format(time.RFC3339), nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return time.Now().UTC().Add(-d.Abs()).Format(time.RFC3339Nano), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC().Format(time.RFC3339Nano), nil
	}
	return "", misuse("%q is not a moment; 2026-11-01, 2026-11-01T12:00:00Z or 2h (ago) will do", text)
}

// ago shows how long since t, as tables do.
func ago(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	switch d := time.Since(t); {
	case d < time.Minute:
		return d.Truncate(time.Second).String()
	case d < time.Hour:
		return strings.TrimSuffix(d.Truncate(time.Minute).String(), "0s")
	case d < 48*time.Hour:
		return strings.TrimSuffix(d.Truncate(time.Hour).String(), "0m0s")
	default:
		return t.UTC().Format(time.DateOnly)
	}
}

// clip shortens what would make a table unreadable.
func clip(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func joined(words []string) string {
	slices.Sort(words)
	return strings.Join(words, ",")
}

// short is a hash as people name it.
func short(hash string) string { return hash[:min(len(hash), 10)] }

// parseSpan reads a length of time such as "90d" or "12h".
func parseSpan(text string) (time.Duration, error) {
	d, err := jsonx.ParseDuration(text)
	return d.Std(), err
}

var hashForm = regexp.MustCompile(`[0-9a-f]{64}`)

// shortened is text with the hashes in it as people name them.
func shortened(text string) string { return hashForm.ReplaceAllStringFunc(text, short) }

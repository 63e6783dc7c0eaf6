package hours

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func parse(t testing.TB, text string, holidays ...string) *Calendar {
	t.Helper()
	c, err := Parse(text)
	if err == nil {
		c, err = c.With(holidays)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

const berlin = "Mon-Fri 9-17 Europe/Berlin"

func TestBetween(t *testing.T) {
	tests := []struct {
		name, hours string
		holidays    []string
		from, to    string
		want        time.Duration
	}{
		{"always", "24x7", nil, "2026-11-20T23:00:00Z", "2026-11-22T01:00:00Z", 26 * time.Hour},
		{"backwards", "24x7", nil, "2026-11-22T23:00:00Z", "2026-11-20T01:00:00Z", 0},
		{"always but a holiday", "24x7", []string{"2026-11-21"}, "2026-11-20T23:00:00Z", "2026-11-22T01:00:00Z", 2 * time.Hour},
		{"within a day, in winter", berlin, nil, "2026-11-20T08:00:00Z", "2026-11-20T20:00:00Z", 8 * time.Hour},
		{"within a day, in summer", berlin, nil, "2026-07-17T06:30:00Z", "2026-07-17T08:00:00Z", time.Hour},
		{"over a weekend", berlin, nil, "2026-11-20T15:00:00Z", "2026-11-23T09:00:00Z", 2 * time.Hour},
		{"over Christmas", berlin, []string{"12-25", "2026-12-24"}, "2026-12-23T15:00:00Z", "2026-12-28T08:30:00Z", time.Hour + 30*time.Minute},
		{"two spans a day", "Mon-Fri 9-12, Mon-Thu 13:00-17:30 UTC", nil, "2026-11-20T00:00:00Z", "2026-11-24T00:00:00Z", 3*time.Hour + 7*time.Hour + 30*time.Minute},
		{"a night of 23 hours", "daily 0-24 Europe/Berlin", nil, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 23 * time.Hour},
		{"the hour that is left out", "Sun 2-3 Europe/Berlin", nil, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 0},
		{"the hour that comes twice", "Sun 1-4 Europe/Berlin", nil, "2026-10-24T22:00:00Z", "2026-10-25T22:00:00Z", 4 * time.Hour},
		{"to within the hour that is left out", "Sun 0-2:30 Europe/Berlin", nil, "2026-03-28T22:00:00Z", "2026-03-29T22:00:00Z", 2 * time.Hour},
		{"from within the hour that is left out", "Sun 2:30-5 Europe/Berlin", nil, "2026-03-28T22:00:00Z", "2026-03-29T22:00:00Z", 2 * time.Hour},
		{"to within the hour that comes twice", "Sun 1-2:30 Europe/Berlin", nil, "2026-10-24T22:00:00Z", "2026-10-25T22:00:00Z", 2 * time.Hour},
		{"from within the hour that comes twice", "Sun 2:30-5 Europe/Berlin", nil, "2026-10-24T22:00:00Z", "2026-10-25T22:00:00Z", 3 * time.Hour},
		{"two spans in the hour that comes twice", "Sun 2:00-2:15, Sun 2:30-3:00 Europe/Berlin", nil, "2026-10-24T22:00:00Z", "2026-10-25T22:00:00Z", 90 * time.Minute},
		{"clocks that change at midnight", "Fri 0-2 Africa/Cairo", nil, "2026-04-23T12:00:00Z", "2026-04-24T12:00:00Z", time.Hour},
		{"clocks that go back over midnight", "Thu 23-24 Africa/Cairo", nil, "2026-10-29T12:00:00Z", "2026-10-30T12:00:00Z", 2 * time.Hour},
		{"half an hour of summer", "Sun 1-4 Australia/Lord_Howe", nil, "2026-10-03T10:00:00Z", "2026-10-04T10:00:00Z", 2*time.Hour + 30*time.Minute},
		{"from Saturday round to Monday", "Sat-Mon 10-11 UTC", nil, "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z", 3 * time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := parse(t, tt.hours, tt.holidays...).Between(at(tt.from), at(tt.to)); got != tt.want {
				t.Errorf("between %s and %s within %q: got %s, want %s", tt.from, tt.to, tt.hours, got, tt.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"office hours":           "is not a day",
		"sometimes":              "is not support hours",
		"Mon-Fri 9-17 Mars/Base": "is not a time zone",
		"Mon-Fri 9-17 Local":     "is not a time zone",
		"Mon-Fri 17-9 UTC":       "two spans",
		"Mon-Fri 9-9 UTC":        "ends before",
		"Mon-Fri 9-25 UTC":       "not a time of day",
		"Mon-Fri 9:5-17 UTC":     "not a time of day",
		"Mon 9-12, Mon 11-13":    "overlaps",
		"Mon 9-12,":              "is not support hours",
		"Mon 9-12 UTC, Tue 9-12": "is not support hours",
		strings.Repeat("x", 301): "longer",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): got %v, want an error with %q", text, err, want)
		}
	}
	for _, h := range []string{"Christmas", "2026-13-01", "13-40", "2026-02-30", ""} {
		if _, err := new(Calendar).With([]string{h}); err == nil {
			t.Errorf("holiday %q was taken", h)
		}
	}
}

// working is the naive model: what a clock on the wall shows at a moment.
func working(t time.Time, spans []localSpan, holidays map[string]bool, zone *time.Location) bool {
	l := t.In(zone)
	if holidays[l.Format(time.DateOnly)] || holidays[l.Format("01-02")] {
		return false
	}
	for _, s := range spans {
		if minute := l.Hour()*60 + l.Minute(); s.days[l.Weekday()] && minute >= s.from && minute < s.to {
			return true
		}
	}
	return false
}

// A localSpan is hours of some days, as a person says them.
type localSpan struct {
	days     [7]bool
	from, to int // minutes
}

// The measure equals that of a model that looks at every minute on the wall,
// also while clocks change, and After is the inverse of Between.
func TestModel(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo", "America/St_Johns", "Pacific/Chatham"}
	// About changes of clocks in one of them or another.
	seasons := []string{"2026-03-05T00:00:00Z", "2026-03-25T00:00:00Z", "2026-04-02T00:00:00Z", "2026-04-20T00:00:00Z", "2026-09-24T00:00:00Z", "2026-10-01T00:00:00Z",
		"2026-10-22T00:00:00Z", "2026-10-28T00:00:00Z", "2026-12-20T00:00:00Z"}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		var spans []localSpan
		var texts []string
		// Spans of a day one after the other, so that they do not overlap.
		for next := rapid.IntRange(0, 4*60).Draw(t, "begin"); len(spans) < 3 && next < 23*60; {
			s := localSpan{from: next, to: min(24*60, next+rapid.IntRange(1, 10*60).Draw(t, "length"))}
			first, last := rapid.IntRange(0, 6).Draw(t, "first"), rapid.IntRange(0, 6).Draw(t, "last")
			for d := first; ; d = (d + 1) % 7 {
				if s.days[d] = true; d == last {
					break
				}
			}
			day := func(d int) string { return time.Weekday(d).String()[:3] }
			texts = append(texts, fmt.Sprintf("%s-%s %02d:%02d-%02d:%02d", day(first), day(last), s.from/60, s.from%60, s.to/60, s.to%60))
			spans = append(spans, s)
			next = s.to + rapid.IntRange(0, 5*60).Draw(t, "pause")
		}
		text := strings.Join(texts, ", ") + " " + zone
		holidays := map[string]bool{}
		var days []string
		for _, d := range []string{"03-30", "2026-10-25", "12-25", "2026-04-24", "2026-11-01"} {
			if rapid.Bool().Draw(t, "holiday") {
				holidays[d] = true
				days = append(days, d)
			}
		}
		c, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = c.With(days); err != nil {
			t.Fatal(err)
		}
		start := at(rapid.SampledFrom(seasons).Draw(t, "season")).Add(time.Duration(rapid.IntRange(0, 4*24*60).Draw(t, "start")) * time.Minute)
		end := start.Add(time.Duration(rapid.IntRange(0, 10*24*60).Draw(t, "minutes")) * time.Minute)
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		var want time.Duration
		for m := start; m.Before(end); m = m.Add(time.Minute) {
			if working(m, spans, holidays, loc) {
				want += time.Minute
			}
		}
		got := c.Between(start, end)
		if got != want {
			t.Fatalf("%q without %v from %s to %s: got %s, the model counts %s", text, days, start, end, got, want)
		}
		if got == 0 {
			return
		}
		back, ok := c.After(start, got)
		if !ok || back.After(end) || c.Between(start, back) != got || !working(back.Add(-time.Minute), spans, holidays, loc) {
			t.Fatalf("%q: %s after %s is %s, %v; between them lie %s", text, got, start, back, ok, c.Between(start, back))
		}
	})
}

func TestNever(t *testing.T) {
	c := parse(t, "Thu 0-24 UTC", "01-01")
	if got, ok := c.After(at("2026-01-01T00:00:00Z"), 24*time.Hour*300); ok && got.Before(at("2031-01-01T00:00:00Z")) {
		t.Errorf("300 Thursdays are over at %s", got)
	}
	if _, ok := c.After(at("2026-01-01T00:00:00Z"), time.Hour*24*4000); ok {
		t.Error("what lies beyond ten years was found")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(berlin)
	f.Add("Mon 9-12, Tue 08:30-24 UTC")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		a := at("2026-11-20T15:00:00Z")
		if got := c.Between(a, a.AddDate(0, 0, 7)); got < 0 || got > 7*24*time.Hour {
			t.Errorf("%q has %s in a week", text, got)
		}
	})
}

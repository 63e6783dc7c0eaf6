package support

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/hours"
	"gatehouse/jsonx"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// A naive model of one request: it knows what was done at which minute, and
// counts minutes of the wall clock of the helping side one by one.
type naive struct {
	open            func(time.Time) bool // within support hours
	state           string
	answered        bool
	first, solution int // minutes used
	announced       [2][]int
}

// pass lets one minute pass.
func (n *naive) pass(at time.Time) {
	if !n.open(at) {
		return
	}
	if !n.answered && (n.state == gatehouse.SupportOpen || n.state == gatehouse.SupportAcknowledged) {
		n.first++
	}
	switch n.state {
	case gatehouse.SupportOpen, gatehouse.SupportAcknowledged, gatehouse.SupportAnswered:
		n.solution++
	}
}

// do is what an action leads to; false where it is refused.
func (n *naive) do(what string) bool {
	over := n.state == gatehouse.SupportResolved || n.state == gatehouse.SupportClosed
	switch what {
	case "answer", "wait", "resolve":
		if n.state == gatehouse.SupportClosed {
			return false
		}
		n.answered = true
		n.state = map[string]string{"answer": gatehouse.SupportAnswered, "wait": gatehouse.SupportWaiting, "resolve": gatehouse.SupportResolved}[what]
	case "ask":
		if n.state == gatehouse.SupportClosed {
			return false
		}
		if n.state != gatehouse.SupportOpen {
			n.state = gatehouse.SupportAcknowledged
		}
	case "assign":
		if over {
			return false
		}
		if n.state == gatehouse.SupportOpen {
			n.state = gatehouse.SupportAcknowledged
		}
	case "close":
		if n.state == gatehouse.SupportClosed {
			return false
		}
		n.state = gatehouse.SupportClosed
	case "reopen":
		if !over {
			return false
		}
		n.state = gatehouse.SupportAcknowledged
	}
	return true
}

// running tells which clocks run.
func (n *naive) running() [2]bool {
	turn := n.state == gatehouse.SupportOpen || n.state == gatehouse.SupportAcknowledged
	return [2]bool{turn && !n.answered, turn || n.state == gatehouse.SupportAnswered}
}

// wallClock is whether a moment is within hours of some weekdays in a zone.
func wallClock(zone string, from, to int, holidays ...string) func(time.Time) bool {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	return func(t time.Time) bool {
		l := t.In(loc)
		return l.Weekday() != time.Saturday && l.Weekday() != time.Sunday && l.Hour() >= from && l.Hour() < to &&
			!slices.Contains(holidays, l.Format(time.DateOnly)) && !slices.Contains(holidays, l.Format("01-02"))
	}
}

// TestClocksAsModel lives through random requests, over weekends, holidays and
// changes of clocks, and compares both clocks, what they read and what is
// announced with the model after each step.
func TestClocksAsModel(t *testing.T) {
	calendars := []struct {
		support gatehouse.TeamSupport
		open    func(time.Time) bool
	}{
		{gatehouse.TeamSupport{Hours: "24x7"}, func(time.Time) bool { return true }},
		{gatehouse.TeamSupport{Hours: "Mon-Fri 9-17 Europe/Berlin", Holidays: []string{"2026-10-26", "12-25"}}, wallClock("Europe/Berlin", 9, 17, "2026-10-26", "12-25")},
		{gatehouse.TeamSupport{Hours: "Mon-Fri 0-8 Africa/Cairo"}, wallClock("Africa/Cairo", 0, 8)},
		{gatehouse.TeamSupport{Hours: "Mon-Fri 8-20 America/New_York", Holidays: []string{"11-02"}}, wallClock("America/New_York", 8, 20, "11-02")},
	}
	rapid.Check(t, func(t *rapid.T) {
		// Some days before clocks change in one of the zones.
		now := time.Date(2026, 10, 22, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 10*24*60).Draw(t, "begin")) * time.Minute)
		trail := &audit.Trail{DB: memory.New(), Now: func() time.Time { return now }}
		d := New(trail, catalog.New(trail))
		cal := rapid.SampledFrom(calendars).Draw(t, "calendar")
		limits := [2]int{rapid.IntRange(1, 40).Draw(t, "first") * 20, 0}
		limits[1] = limits[0] + rapid.IntRange(0, 40).Draw(t, "solution")*20
		cal.support.FirstResponse, cal.support.Resolution = minutes(limits[0]), minutes(limits[1])
		putTeam(t, d, "payments", &gatehouse.Team{Provider: true, Support: &cal.support})
		putTeam(t, d, "billing", &gatehouse.Team{})
		asking := audit.WithRequest(t.Context(), audit.Request{Actor: "user:bob@example.com"})
		helping := audit.WithRequest(t.Context(), audit.Request{Actor: "user:alice@example.com"})
		r, err := d.Open(asking, Ask{From: "billing", Provider: true, Category: "incident", Title: "x", Text: "y"})
		if err != nil {
			t.Fatal(err)
		}
		n := &naive{open: cal.open, state: gatehouse.SupportOpen}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			for range rapid.SampledFrom([]int{0, 1, 10, 45, 60, 300, 600, 1440, 4000}).Draw(t, "minutes") {
				n.pass(now)
				now = now.Add(time.Minute)
			}
			if err := d.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			for i, runs := range n.running() {
				for _, level := range Levels {
					used := []int{n.first, n.solution}[i]
					if runs && !slices.Contains(n.announced[i], level) && used*100 >= limits[i]*level {
						n.announced[i] = append(n.announced[i], level)
					}
				}
			}
			compare(t, d, r.ID, n, limits, now)
			what := rapid.SampledFrom([]string{"answer", "wait", "resolve", "ask", "assign", "close", "reopen", "nothing"}).Draw(t, "what")
			resolved := n.state == gatehouse.SupportResolved
			may := n.do(what)
			switch what {
			case "answer", "wait", "resolve":
				_, err = d.Reply(helping, r.ID, Helping, Reply{Text: "x", Wait: what == "wait", Resolve: what == "resolve"})
			case "ask":
				_, err = d.Reply(asking, r.ID, Asking, Reply{Text: "x"})
			case "assign":
				_, err = d.Assign(helping, r.ID, "user:alice@example.com")
			case "close":
				_, err = d.Close(asking, r.ID, "")
			case "reopen":
				_, err = d.Reopen(asking, r.ID, "")
			default:
				err = nil
			}
			if resolved && err != nil && may {
				return // closed by itself after a week; the model does not know weeks
			}
			if (err == nil) != may {
				t.Fatalf("%s: got %v, the model %t", what, err, may)
			}
			compare(t, d, r.ID, n, limits, now)
		}
	})
}

func compare(t *rapid.T, d *Desk, id string, n *naive, limits [2]int, now time.Time) {
	r, err := d.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if r.State == gatehouse.SupportClosed && n.state == gatehouse.SupportResolved {
		n.state = gatehouse.SupportClosed // after a week, by itself
	}
	if r.State != n.state {
		t.Fatalf("state: got %s, the model %s", r.State, n.state)
	}
	running := n.running()
	for i, k := range []*gatehouse.SupportClock{r.FirstResponse, r.Resolution} {
		name, used := []string{"first response", "resolution"}[i], []int{n.first, n.solution}[i]
		if got := k.Now(r.Calendar(), now); got != time.Duration(used)*time.Minute {
			t.Fatalf("%s used at %s: got %s, the model %d minutes", name, now, got, used)
		}
		if !slices.Equal(k.Escalated, n.announced[i]) {
			t.Fatalf("%s, %d of %d minutes used: announced %v, the model %v", name, used, limits[i], k.Escalated, n.announced[i])
		}
		read := Read(k, r.Calendar(), now)
		over := n.state == gatehouse.SupportResolved || n.state == gatehouse.SupportClosed
		want := "standing"
		switch done := i == 0 && n.answered || i == 1 && over; {
		case used > limits[i]:
			want = "missed"
		case done:
			want = "met"
		case running[i]:
			want = "running"
		}
		if read.State != want {
			t.Fatalf("%s, %d of %d minutes used: reads %s, the model %s", name, used, limits[i], read.State, want)
		}
		if want != "running" || read.Due.IsZero() {
			continue
		}
		// Due is the first moment at which the limit is used up.
		left := limits[i] - used
		at := now
		for ; left > 0; at = at.Add(time.Minute) {
			if n.open(at) {
				left--
			}
		}
		if limits[i] > used && !read.Due.Equal(at) {
			t.Fatalf("%s is due at %s, the model says %s", name, read.Due, at)
		}
	}
}

func minutes(n int) jsonx.Duration { return jsonx.Duration(time.Duration(n) * time.Minute) }

func putTeam(t *rapid.T, d *Desk, name string, spec *gatehouse.Team) {
	w := stored(t, gatehouse.KindTeam, "", name, spec)
	if _, err := d.db.Apply(t.Context(), store.Batch{Writes: []store.Write{w}}); err != nil {
		t.Fatal(err)
	}
}

// TestClocksByHand holds figures that were worked out with a calendar on paper.
func TestClocksByHand(t *testing.T) {
	for _, tt := range []struct {
		name, hours string
		holidays    []string
		opened      string
		limit       time.Duration
		due         string
	}{
		// Friday 16:30 in Berlin: half an hour on Friday, half an hour on Monday.
		{"over a weekend", "Mon-Fri 9-17 Europe/Berlin", nil, "2026-11-20T15:30:00Z", time.Hour, "2026-11-23T08:30:00Z"},
		// Friday 16:30 in Berlin, in summer; on Monday it is winter: 9:30 is 08:30 UTC.
		{"over a weekend on which clocks go back", "Mon-Fri 9-17 Europe/Berlin", nil, "2026-10-23T14:30:00Z", time.Hour, "2026-10-26T08:30:00Z"},
		// Friday 16:30 in New York, in winter; on Monday it is summer: 9:30 is 13:30 UTC.
		{"over a weekend on which clocks go forward", "Mon-Fri 9-17 America/New_York", nil, "2026-03-06T21:30:00Z", time.Hour, "2026-03-09T13:30:00Z"},
		// Wednesday 16:00, Thursday and Friday are free, Saturday and Sunday too.
		{"over Christmas", "Mon-Fri 9-17 Europe/Berlin", []string{"12-24", "12-25"}, "2026-12-23T15:00:00Z", 2 * time.Hour, "2026-12-28T09:00:00Z"},
		// Opened on a holiday, counted from the next day on.
		{"on a holiday", "Mon-Fri 9-17 Asia/Kolkata", []string{"2026-11-23"}, "2026-11-23T06:00:00Z", time.Hour, "2026-11-24T04:30:00Z"},
		// A holiday of the helping side is a day there: 23:00 UTC on the 23rd is the 24th in Tokyo.
		{"a holiday by the helping side's calendar", "Mon-Fri 0-24 Asia/Tokyo", []string{"2026-11-24"}, "2026-11-23T14:00:00Z", 2 * time.Hour, "2026-11-24T16:00:00Z"},
		// The night of 25 hours: four hours from 23:00 summer time end at 02:00 winter time.
		{"through the hour that comes twice", "24x7", nil, "2026-10-24T21:00:00Z", 4 * time.Hour, "2026-10-25T01:00:00Z"},
		{"16 working hours", "Mon-Fri 9-17 Europe/Berlin", nil, "2026-11-20T08:00:00Z", 16 * time.Hour, "2026-11-23T16:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := hours.Parse(tt.hours)
			if err == nil {
				c, err = c.With(tt.holidays)
			}
			if err != nil {
				t.Fatal(err)
			}
			opened, err := time.Parse(time.RFC3339, tt.opened)
			if err != nil {
				t.Fatal(err)
			}
			k := &gatehouse.SupportClock{Limit: jsonx.Duration(tt.limit), Since: opened}
			if got := Read(k, c, opened).Due.UTC().Format(time.RFC3339); got != tt.due {
				t.Errorf("%s from %s within %s: due %s, want %s", tt.limit, tt.opened, tt.hours, got, tt.due)
			}
		})
	}
}

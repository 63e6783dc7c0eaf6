package upstream

import (
	"strconv"
	"time"

	"gatehouse/snapshot"
)

// A Backend is a live backend: its targets and how requests are spread over
// them. It is safe for use by several goroutines.
type Backend struct {
	set     *Set
	key     string
	refs    int // guarded by the set
	spec    snapshot.Backend
	err     error
	members []*member

	timeout, connect time.Duration
	unhealthy        int // failures in a row that leave a target out
	retry            retryRules
	budget           budget
	balance          balance
}

// A member is a target as one backend uses it.
type member struct {
	*target
	check   *check // nil without a health path
	weight  int
	current int // of the smooth weighted pick; guarded by balance
}

const (
	defaultTimeout   = 30 * time.Second
	defaultConnect   = 5 * time.Second
	defaultUnhealthy = 3
)

func newBackend(s *Set, key string, spec *snapshot.Backend) *Backend {
	b := &Backend{set: s, key: key, spec: *spec, timeout: spec.Timeout.Std(), connect: spec.Connect.Std()}
	if b.timeout <= 0 {
		b.timeout = defaultTimeout
	}
	if b.connect <= 0 {
		b.connect = defaultConnect
	}
	b.unhealthy = orDefault(spec.Health.Unhealthy, defaultUnhealthy)
	b.retry = rulesOf(spec.Retries)
	return b
}

// Err tells why the backend cannot serve; nil when it can.
func (b *Backend) Err() error { return b.err }

// healthy tells whether m takes requests.
func (m *member) healthy(now time.Time) bool {
	return (m.check == nil || m.check.up()) && m.target.healthy(now)
}

func (m *member) state(now time.Time) (healthy bool, reason string) {
	if m.check != nil && !m.check.up() {
		return false, m.check.why()
	}
	if out, reason := m.streak.out(now); out {
		return false, reason
	}
	return true, ""
}

// retryRules are a backend's retries in a form to ask.
type retryRules struct {
	attempts                int
	connect, reset, timeout bool
	statuses                map[int]bool
}

// rulesOf reads the conditions. Attempts without any mean failures to connect
// and resets, after which no answer can be lost.
func rulesOf(r snapshot.Retries) retryRules {
	rules := retryRules{attempts: r.Attempts}
	if r.Attempts > 0 && len(r.On) == 0 {
		rules.connect, rules.reset = true, true
	}
	for _, on := range r.On {
		switch on {
		case "connect-failure":
			rules.connect = true
		case "reset":
			rules.reset = true
		case "timeout":
			rules.timeout = true
		default:
			if n, err := strconv.Atoi(on); err == nil {
				if rules.statuses == nil {
					rules.statuses = map[int]bool{}
				}
				rules.statuses[n] = true
			}
		}
	}
	return rules
}

package framework_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/governance/framework"
)

// A naive model of a framework: what each version says, who wrote it, and every
// word that was said on each text of it.
type naive struct {
	versions map[string]*naiveVersion
	holders  map[string]bool // of the role that approves
}

type naiveVersion struct {
	state, text, submitter string
	authors                []string
	said                   map[string]map[string]string // text, person: approved or rejected
}

// mine tells whether somebody wrote or submitted the version.
func (v *naiveVersion) mine(who string) bool {
	return who == v.submitter || slices.Contains(v.authors, who)
}

func (v *naiveVersion) waits() bool {
	return v.state == gatehouse.Submitted || v.state == gatehouse.Approved
}

func (v *naiveVersion) rejected() bool {
	for _, word := range v.said[v.text] {
		if word == gatehouse.Rejected {
			return true
		}
	}
	return false
}

func (n *naive) counted(v *naiveVersion) (all int) {
	for who, word := range v.said[v.text] {
		if word == gatehouse.Approved && n.holders[who] && !v.mine(who) {
			all++
		}
	}
	return all
}

// mayApprove is for a person whose token goes back to its makers.
func (n *naive) mayApprove(v *naiveVersion, who string, makers []string) bool {
	return n.holders[who] && v.waits() && !v.mine(who) && v.said[v.text][who] == "" && !slices.ContainsFunc(makers, v.mine)
}

func (n *naive) approve(v *naiveVersion, who string) {
	v.say(who, gatehouse.Approved)
	if v.state == gatehouse.Submitted && n.counted(v) >= 2 {
		v.state = gatehouse.Approved
	}
}

func (v *naiveVersion) say(who, word string) {
	if v.said[v.text] == nil {
		v.said[v.text] = map[string]string{}
	}
	v.said[v.text][who] = word
}

// A token is how somebody signs in, and everybody its making goes back to.
type token struct {
	who, id string
	makers  []string
}

// A living is the product beside its model.
type living struct {
	*rapid.T
	s      *site
	n      *naive
	tokens []token
}

var (
	people  = []string{"user:ann", "user:carol", "user:dave", "user:erin"}
	names   = []string{"1", "2", "3"}
	wording = []string{"true", "1 < 2", "2 < 3"}
)

func draw(l *living, label string, of []string) string {
	return rapid.SampledFrom(of).Draw(l.T, label)
}

func (l *living) version() (string, *naiveVersion) {
	name := draw(l, "version", names)
	return name, l.n.versions[name]
}

func (l *living) same(what string, err error, want bool) {
	l.Helper()
	if (err == nil) != want {
		l.Fatalf("%s: got %v, want it let through: %t", what, err, want)
	}
}

func (l *living) with(t token) context.Context {
	return audit.WithRequest(l.s.Context(), audit.Request{Actor: t.who, Authentication: "token:" + t.id})
}

// may is what the server asks before it asks the desk.
func (l *living) may(who string) error {
	if err := l.s.guard.CatchUp(l.s.Context(), 0); err != nil {
		return err
	}
	if d := l.s.guard.Can(who, "framework.approve", access.On{Kind: gatehouse.KindFramework, Name: "corporate"}); !d.Allowed {
		return gatehouse.E(gatehouse.Denied, "%q may not", who)
	}
	return nil
}

func (l *living) makeToken() {
	by := rapid.SampledFrom(l.tokens).Draw(l.T, "by")
	subject := by.who
	if by.who == "user:ann" { // an administrator, as boss is; others make them for themselves
		subject = draw(l, "subject", people)
	}
	_, made, err := l.s.guard.CreateToken(l.with(by), access.TokenRequest{Subject: subject})
	if err != nil {
		l.Fatal(err)
	}
	l.tokens = append(l.tokens, token{subject, made.ID, append([]string{by.who}, by.makers...)})
}

func (l *living) edit() {
	who, text := draw(l, "who", people), draw(l, "text", wording)
	name, v := l.version()
	want := v.state == gatehouse.Draft || v.text == text
	was := v.text
	v.text = text
	var all []string
	for _, n := range names {
		all = append(all, fmt.Sprintf(`"name":%q,"controls":[{"id":"a","check":{"cel":{"expression":%q}}}]`, n, l.n.versions[n].text))
	}
	l.same(who+" edits "+name, l.s.framework(who, "", all...), want)
	switch {
	case !want:
		v.text = was
	case was != text && !slices.Contains(v.authors, who):
		v.authors = append(v.authors, who)
	}
}

func (l *living) submit() {
	who := draw(l, "who", people)
	name, v := l.version()
	want := v.state == gatehouse.Draft && !v.rejected()
	l.same(who+" submits "+name, l.s.submit(who, name), want)
	if want {
		v.state, v.submitter = gatehouse.Submitted, who
	}
}

func (l *living) decide(t token, name string, do func(context.Context, string, string, framework.Word) (*framework.Moved, error)) error {
	if err := l.may(t.who); err != nil {
		return err
	}
	_, err := do(l.with(t), "corporate", name, framework.Word{Comment: "so it is"})
	return err
}

func (l *living) approve() {
	t := rapid.SampledFrom(l.tokens).Draw(l.T, "token")
	name, v := l.version()
	want := l.n.mayApprove(v, t.who, t.makers)
	l.same(fmt.Sprintf("%s approves %s by %v", t.who, name, t.makers), l.decide(t, name, l.s.desk.Approve), want)
	if want {
		l.n.approve(v, t.who)
	}
}

// twoApprove has two tokens used at once: words of two persons count both, and
// those of one person once.
func (l *living) twoApprove() {
	a, b := rapid.SampledFrom(l.tokens).Draw(l.T, "one"), rapid.SampledFrom(l.tokens).Draw(l.T, "other")
	name, v := l.version()
	mayA, mayB := l.n.mayApprove(v, a.who, a.makers), l.n.mayApprove(v, b.who, b.makers)
	errs := make(chan error)
	go func() { errs <- l.decide(b, name, l.s.desk.Approve) }()
	errA := l.decide(a, name, l.s.desk.Approve)
	errB := <-errs
	if a.who == b.who && mayA && mayB {
		if (errA == nil) == (errB == nil) {
			l.Fatalf("%s approved %s twice at once: %v, %v", a.who, name, errA, errB)
		}
		mayB = false
	} else {
		l.same(a.who+" approves", errA, mayA)
		l.same(b.who+" approves", errB, mayB)
	}
	if mayA {
		l.n.approve(v, a.who)
	}
	if mayB {
		l.n.approve(v, b.who)
	}
}

func (l *living) reject() {
	t := rapid.SampledFrom(l.tokens).Draw(l.T, "token")
	name, v := l.version()
	want := l.n.holders[t.who] && v.waits() && v.said[v.text][t.who] == ""
	l.same(t.who+" rejects "+name, l.decide(t, name, l.s.desk.Reject), want)
	if want {
		v.say(t.who, gatehouse.Rejected)
		v.state, v.submitter = gatehouse.Draft, ""
	}
}

func (l *living) enforce() {
	name, v := l.version()
	want := v.state == gatehouse.Approved && l.n.counted(v) >= 2
	l.same("putting "+name+" in force", l.s.enforce(name), want)
	if !want {
		return
	}
	for _, other := range l.n.versions {
		if other.state == gatehouse.InForce {
			other.state = gatehouse.Superseded
		}
	}
	v.state = gatehouse.InForce
}

func (l *living) withdraw() {
	name, v := l.version()
	want := v.waits() || v.state == gatehouse.InForce
	l.same("withdrawing "+name, l.s.move(l.s.desk.Withdraw, "user:boss", name, "it has to go"), want)
	if want {
		v.state = gatehouse.Withdrawn
	}
}

// role ends somebody's role, or gives it back.
func (l *living) role() {
	who := draw(l, "who", people[1:])
	name := who[len("user:"):]
	if l.n.holders[who] {
		err := l.s.catalog.Delete(l.s.as("user:boss"), gatehouse.KindRoleAssignment, "", name, nil, catalog.Request{})
		l.same("ending the role of "+who, err, true)
		delete(l.n.holders, who)
		return
	}
	l.same("giving "+who+" the role", l.s.apply("user:boss", `{"kind":"RoleAssignment","metadata":{"name":"`+name+`"},"spec":{"subject":"`+who+`","role":"compliance","scope":"organization"}}`), true)
	l.n.holders[who] = true
}

func (l *living) check() {
	standing, err := l.s.desk.Standing(l.s.Context(), "corporate")
	if err != nil {
		l.Fatal(err)
	}
	inForce := ""
	for name, v := range l.n.versions {
		if got := standing.State(name); got != v.state {
			l.Fatalf("version %s is %s, want %s", name, got, v.state)
		}
		if v.state == gatehouse.InForce {
			inForce = name
		}
	}
	if standing.InForce != inForce {
		l.Fatalf("%q is in force, want %q", standing.InForce, inForce)
	}
}

// Random edits, words by several persons with tokens that anybody made, roles that
// end, and two at once come to what a naive model says (SAFETY B6).
func TestApprovalsAsModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := &living{T: r, s: newSite(t), n: &naive{versions: map[string]*naiveVersion{}, holders: map[string]bool{}}}
		role := map[string]string{"user:boss": "admin", "user:ann": "admin", "user:carol": "provider", "user:dave": "provider", "user:erin": "provider"}
		for _, who := range append([]string{"user:boss"}, people...) {
			l.s.must(l.s.apply("user:boss", `{"kind":"User","metadata":{"name":"`+who[len("user:"):]+`"},"spec":{}}`))
			l.s.must(l.s.apply("user:boss", `{"kind":"RoleAssignment","metadata":{"name":"all-`+who[len("user:"):]+`"},"spec":{"subject":"`+who+`","role":"`+role[who]+`","scope":"organization"}}`))
		}
		l.s.must(l.s.guard.CatchUp(t.Context(), 0))
		for _, who := range people {
			l.n.holders[who] = true
			_, made, err := l.s.guard.CreateToken(l.s.as("user:boss"), access.TokenRequest{Subject: who})
			l.s.must(err)
			l.tokens = append(l.tokens, token{who, made.ID, []string{"user:boss"}})
		}
		for _, name := range names {
			l.n.versions[name] = &naiveVersion{state: gatehouse.Draft, text: wording[0], authors: []string{"user:ann"}, said: map[string]map[string]string{}}
		}
		l.s.must(l.s.framework("user:ann", "", `"name":"1","controls":[{"id":"a","check":{"cel":{"expression":"true"}}}]`,
			`"name":"2","controls":[{"id":"a","check":{"cel":{"expression":"true"}}}]`, `"name":"3","controls":[{"id":"a","check":{"cel":{"expression":"true"}}}]`))
		steps := []func(){l.makeToken, l.edit, l.submit, l.submit, l.approve, l.approve, l.approve, l.twoApprove, l.twoApprove, l.reject, l.enforce, l.enforce, l.withdraw, l.role}
		for range rapid.IntRange(10, 50).Draw(r, "steps") {
			l.s.now = l.s.now.Add(time.Minute)
			steps[rapid.IntRange(0, len(steps)-1).Draw(r, "step")]()
			l.check()
		}
	})
}

package access

import (
	"context"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/control/audit"
)

// One asks, another decides: who is another, and who only looks like one.
func TestApart(t *testing.T) {
	h := newHouse(t, user("ann"), user("bob"), user("carol"), user("dave"), user("erin"),
		put(gatehouse.KindTeam, "platform", &gatehouse.Team{Members: []string{"group:builders"}}),
		put(gatehouse.KindGroup, "builders", &gatehouse.Group{Members: []string{"user:erin"}}),
		put(gatehouse.KindServiceAccount, "ci", &gatehouse.ServiceAccount{Team: "platform"}),
		assign("ann", "user:ann", "admin", "organization"), assign("bob", "user:bob", "admin", "organization"))
	token := func(by context.Context, subject string) context.Context {
		_, token, err := h.CreateToken(by, TokenRequest{Subject: subject})
		if err != nil {
			t.Fatal(err)
		}
		return audit.WithRequest(t.Context(), audit.Request{Actor: subject, Authentication: "token:" + token.ID})
	}
	ann, bob := as(t.Context(), "user:ann"), as(t.Context(), "user:bob")
	ofAnn := token(ann, "user:carol") // on record, and not refused
	token(bob, "service:ci")
	for _, test := range []struct {
		name   string
		who    context.Context
		before string
		trace  Trace
		want   string
	}{
		{"another", bob, "user:ann", ByTeam, ""},
		{"the same", ann, "user:ann", ByTeam, `"user:ann" asked for it; someone else has to decide`},
		{"a program", as(t.Context(), "service:ci"), "user:ann", ByTeam, `"service:ci" is no person`},
		{"the system", as(t.Context(), System), "user:ann", ByTeam, `"system" is no person`},
		{"who made the program's token", bob, "service:ci", ByHand, `"user:bob" is behind "service:ci", which asked for it`},
		{"of the program's team", as(t.Context(), "user:erin"), "service:ci", ByTeam, `"user:erin" is behind "service:ci"`},
		{"of the program's team, where only hands count", as(t.Context(), "user:erin"), "service:ci", ByHand, ""},
		{"nobody to the program", as(t.Context(), "user:dave"), "service:ci", ByTeam, ""},
		{"with a token that who asked made", ofAnn, "user:ann", ByTeam, ""},
	} {
		err := h.Apart(test.who, test.before, "asked for it", test.trace)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (!gatehouse.Is(err, gatehouse.Denied) || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}

// A proof that was read too long ago is not handed out to be read into: others
// still look at what it shares.
func TestProofsShareNothing(t *testing.T) {
	h := newHouse(t)
	h.proof.put("Token/tok_a", gatehouse.Token{ID: "tok_a", Makers: []string{"user:ann"}}, h.now, h.proof.steps)
	if known, _, ok := h.proof.get("Token/tok_a", h.now.Add(2*proofLife)); ok || known.Makers != nil {
		t.Errorf("one that is too old is handed out: %+v", known)
	}
}

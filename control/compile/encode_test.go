package compile

import (
	"testing"

	"pgregory.net/rapid"

	"gatehouse/snapshot"
)

// TestCredentialsAreCanonical holds that the quick encoder writes what
// [snapshot.Encode] writes, whatever the names.
func TestCredentialsAreCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := func(label string) string { return rapid.String().Draw(t, label) }
		c := &snapshot.Credentials{Subscriptions: []snapshot.Subscription{}, Keys: []snapshot.Key{}}
		for range rapid.IntRange(0, 4).Draw(t, "subscriptions") {
			c.Subscriptions = append(c.Subscriptions, snapshot.Subscription{
				Name: text("name"), Application: text("application"), Product: text("product"), Plan: text("plan"), Expires: rapid.Int64().Draw(t, "expires"),
			})
		}
		for range rapid.IntRange(0, 4).Draw(t, "keys") {
			c.Keys = append(c.Keys, snapshot.Key{Hash: snapshot.KeyCredential(text("key")), Subscription: rapid.IntRange(0, 9).Draw(t, "subscription"), Expires: rapid.Int64().Draw(t, "e")})
		}
		want, _, err := snapshot.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendCredentials(nil, c)); got != string(want) {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

func TestTailsAreCanonical(t *testing.T) {
	tails := &snapshot.Tails{Keys: []snapshot.KeyTail{
		snapshot.TailOf(snapshot.KeyCredential("a"), "3JpFH3"), snapshot.TailOf(snapshot.KeyCredential("b"), ""), snapshot.TailOf(snapshot.KeyCredential("c"), "<\"\\\x00é"),
	}}
	for n := range len(tails.Keys) {
		tails := &snapshot.Tails{Keys: tails.Keys[:n+1]}
		want, _, err := snapshot.Encode(tails)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendTails(nil, tails)); got != string(want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

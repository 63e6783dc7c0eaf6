package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/adminapi"
	"gatehouse/client"
	"gatehouse/store/postgres/pgtest"
)

// An asker opens support requests with an Idempotency-Key each, at whatever
// control plane, and remembers what it was told.
type asker struct {
	tokens map[string]string // by address
	mu     sync.Mutex        // guards told
	told   map[string]string // the answer to each title; "" where none came
}

// ask asks once. What went wrong on the way is an error; 409 has come with the
// time to wait.
func (k *asker) ask(ctx context.Context, address, title string) (status int, body string, wait time.Duration, err error) {
	text := fmt.Sprintf(`{"team":"billing","api":"pets/pets","category":"question","title":%q,"text":"how?"}`, title)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/v1/support", bytes.NewReader([]byte(text)))
	if err != nil {
		return 0, "", 0, err
	}
	req.Header.Set("Authorization", "Bearer "+k.tokens[address])
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", title)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", 0, err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if resp.StatusCode == http.StatusConflict || resp.StatusCode == http.StatusServiceUnavailable {
		seconds, bad := strconv.Atoi(resp.Header.Get("Retry-After"))
		if bad == nil {
			wait = time.Duration(seconds) * time.Second
		}
	}
	return resp.StatusCode, string(all), wait, err
}

// until asks one question after the other until there is no answer.
func (k *asker) until(ctx context.Context, address, name string) {
	for i := 0; ctx.Err() == nil; i++ {
		title := fmt.Sprintf("%s-%d", name, i)
		status, body, _, err := k.ask(ctx, address, title)
		if status != http.StatusCreated {
			body = ""
		}
		k.mu.Lock()
		k.told[title] = body
		k.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// TestKillOneOfTwo kills one of two control planes on one PostgreSQL under writes,
// in turn: the other goes on with every change that it is asked for, the gateway
// follows it, what was asked of the dead one is repeated at the other and done
// once, nothing that was acknowledged is lost, and each call is counted once.
func TestKillOneOfTwo(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(*seed, 10))
	s := newSite(t)
	one, two := s.pair(pgtest.New(t).Database(t))
	clients := map[string]*client.Client{"one": one, "two": two}
	k := &asker{tokens: map[string]string{}, told: map[string]string{}}
	for name := range clients {
		token, err := os.ReadFile(filepath.Join(s.data(name), "admin.token"))
		if err != nil {
			t.Fatal(err)
		}
		k.tokens[s.address(name)] = strings.TrimSpace(string(token))
	}
	s.api = one
	s.apply(s.platform() + "---\napiVersion: gatehouse/v1\nkind: Team\nmetadata: {name: billing}\nspec: {}\n")
	s.gateway("edge", "--report-interval", flush.String())
	s.inStep(1)
	l := callers(t.Context(), 2, 2*time.Millisecond, new(http.Transport), func() string { return s.at["edge"] + "/pets" })
	struck, spared := []*writer{{name: "a"}, {name: "b"}}, &writer{name: "c"}
	repeated, waited := 0, 0
	n := rounds(4, 40)
	for round := range n {
		dead, alive := "one", "two"
		if round%2 == 1 {
			dead, alive = alive, dead
		}
		at, other := *s, *s
		at.api, other.api, s.api = clients[dead], clients[alive], clients[alive]

		ctx, end := context.WithCancel(t.Context())
		var busy sync.WaitGroup
		for i := range 2 {
			busy.Go(func() { k.until(ctx, s.address(dead), fmt.Sprintf("round %d asker %d", round, i)) })
		}
		busy.Go(func() {
			for ctx.Err() == nil {
				if err := spared.next(context.WithoutCancel(ctx), &other); err != nil {
					t.Errorf("the one that lives: %v", err)
				}
			}
		})
		at.writing(struck, func() {
			_ = wait(t.Context(), 300*time.Millisecond+time.Duration(random.IntN(500))*time.Millisecond)
			s.kill(dead)
		})
		s.apply(s.open(fmt.Sprintf("more-%d", round), ""))
		s.eventually("the gateway follows the other", func() error {
			return get(t.Context(), fmt.Sprintf("%s/more-%d", s.at["edge"], round), http.StatusOK)
		})
		end()
		busy.Wait()

		for title, was := range k.told {
			s.eventually("what was asked of the dead one is repeated", func() error {
				status, body, pause, err := k.ask(t.Context(), s.address(alive), title)
				switch {
				case err != nil:
					return err
				case status == http.StatusConflict && pause > 0: // its process may live still
					waited++
					_ = wait(t.Context(), pause)
					return fmt.Errorf("%s: %s", title, body)
				case was != "" && (status != http.StatusCreated || body != was):
					t.Errorf("%s: got %d %s; the first answer was %s", title, status, body, was)
				case was == "" && status != http.StatusCreated && status != http.StatusConflict: // done, its answer lost
					t.Errorf("%s: got %d %s", title, status, body)
				}
				return nil
			})
			if was == "" {
				repeated++
			}
		}
		for title, times := range s.opened() {
			if _, asked := k.told[title]; asked && times != 1 {
				t.Errorf("%q was opened %d times", title, times)
			}
			delete(k.told, title)
		}
		if len(k.told) > 0 {
			t.Errorf("never opened: %v", k.told)
		}
		k.told = map[string]string{}
		s.again(dead)
		onRecord, _ := s.events(0)
		stands := s.titles()
		for _, w := range append(struck, spared) {
			w.hold(t, stands, onRecord)
		}
		s.verify()
		s.inStep(1)
		if t.Failed() {
			t.Fatalf("in round %d; -fault.seed=%d", round, *seed)
		}
	}
	s.sameManifest(one, two)
	answers := l.end()
	for _, a := range answers {
		if a.status != http.StatusOK {
			t.Fatalf("a call was answered %d, %v", a.status, a.err)
		}
	}
	s.eventually("each call is counted once", func() error { return s.exactly("pets/pets@v1", len(answers)) })
	t.Logf("%d kills; %d changes at the one struck, %d at the other; %d requests without an answer repeated, %d told to wait; %d calls, each counted once",
		n, len(struck[0].attempts)+len(struck[1].attempts), len(spared.attempts), repeated, waited, len(answers))
}

// opened counts support requests by title.
func (s *site) opened() map[string]int {
	s.t.Helper()
	counts, in := map[string]int{}, adminapi.ListSupportRequest{Limit: 500}
	for {
		out, err := s.api.ListSupport(s.t.Context(), in)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, r := range out.Body.Items {
			counts[r.Title]++
		}
		if in.After = out.Body.Next; in.After == "" {
			return counts
		}
	}
}

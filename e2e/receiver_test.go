package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A hook takes webhooks and checks them as its owner would, by the text of the
// Standard Webhooks specification and not by our code.
type hook struct {
	*httptest.Server
	mu     sync.Mutex // guards what follows
	status int
	secret []byte
	mails  []taken
}

// taken is one message.
type taken struct{ id, body, fault string }

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	m := taken{id: r.Header.Get("webhook-id"), body: string(body)}
	if err != nil {
		m.fault = err.Error()
	} else {
		m.fault = h.fault(r.Header, body)
	}
	h.mails = append(h.mails, m)
	w.WriteHeader(h.status)
}

// fault says what is wrong with a message.
func (h *hook) fault(head http.Header, body []byte) string {
	at, err := strconv.ParseInt(head.Get("webhook-timestamp"), 10, 64)
	if err != nil || time.Since(time.Unix(at, 0)).Abs() > 5*time.Minute {
		return "timestamp " + head.Get("webhook-timestamp")
	}
	if !strings.HasPrefix(head.Get("Content-Type"), "application/cloudevents+json") {
		return "content type " + head.Get("Content-Type")
	}
	if h.secret == nil {
		return ""
	}
	mac := hmac.New(sha256.New, h.secret)
	fmt.Fprintf(mac, "%s.%d.%s", head.Get("webhook-id"), at, body)
	for _, s := range strings.Fields(head.Get("webhook-signature")) {
		if given, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, "v1,")); err == nil && hmac.Equal(given, mac.Sum(nil)) {
			return ""
		}
	}
	return "signature " + head.Get("webhook-signature")
}

// receiver NAME: start a receiver of webhooks; $NAME is its URL.
// receiver NAME status CODE: answer with that from now on.
// receiver NAME secret SECRET: check signatures from now on.
func receiver(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	if len(args) == 1 {
		h := &hook{status: http.StatusNoContent}
		h.Server = httptest.NewServer(h)
		ts.Defer(h.Close)
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.hooks == nil {
			w.hooks = map[string]*hook{}
		}
		w.hooks[args[0]] = h
		ts.Setenv(strings.ToUpper(args[0]), h.URL)
		return
	}
	h := w.hooks[args[0]]
	h.mu.Lock()
	defer h.mu.Unlock()
	switch args[1] {
	case "status":
		code, err := strconv.Atoi(args[2])
		ts.Check(err)
		h.status = code
	case "secret":
		key := []byte(args[2])
		if coded, ok := strings.CutPrefix(args[2], "whsec_"); ok {
			var err error
			key, err = base64.StdEncoding.DecodeString(coded)
			ts.Check(err)
		}
		h.secret = key
	default:
		ts.Fatalf("receiver NAME status CODE, or receiver NAME secret SECRET")
	}
}

// told NAME N TEXT …: within 10 s the receiver has N different messages that
// have all of the texts, none of them at fault. They go to stdout.
func told(ts *testscript.TestScript, neg bool, args []string) {
	h := worldOf(ts).hooks[args[0]]
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	end := time.Now().Add(10 * time.Second)
	for {
		got, bad := h.have(args[2:])
		if bad != "" {
			ts.Fatalf("receiver %s was sent a message at fault: %s", args[0], bad)
		}
		if len(got) >= want || neg {
			fmt.Fprint(ts.Stdout(), strings.Join(got, "\n")+"\n")
			if len(got) != want == !neg {
				ts.Fatalf("receiver %s has %d messages with %q, want %d", args[0], len(got), args[2:], want)
			}
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("receiver %s has %d messages with %q, want %d; all it has:\n%v", args[0], len(got), args[2:], want, h.mails)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (h *hook) have(texts []string) (bodies []string, fault string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var ids []string
	for _, m := range h.mails {
		if slices.ContainsFunc(texts, func(t string) bool { return !strings.Contains(m.body, t) }) || slices.Contains(ids, m.id) {
			continue
		}
		if m.fault != "" {
			return nil, m.fault
		}
		ids, bodies = append(ids, m.id), append(bodies, m.body)
	}
	return bodies, ""
}

// waits DELIVERY TEXT: within 10 s an attempt of the delivery failed with the
// text, and it goes on being tried.
func waits(ts *testscript.TestScript, _ bool, args []string) {
	repeat(ts, regexp.MustCompile(`(?s)"state": "waiting".*`+regexp.QuoteMeta(args[1])), "notify", "show", args[0], "-o", "json")
}

// soon PATTERN COMMAND …: within 20 s gatehouse COMMAND … writes what matches.
func soon(ts *testscript.TestScript, _ bool, args []string) {
	repeat(ts, regexp.MustCompile(args[0]), args[1:]...)
}

func repeat(ts *testscript.TestScript, want *regexp.Regexp, args ...string) {
	end := time.Now().Add(20 * time.Second)
	for {
		c := exec.Command(filepath.Join(program, "gatehouse"), args...)
		c.Env = append(environment(ts), "GATEHOUSE_DATA="+ts.Getenv("GATEHOUSE_DATA"))
		out, err := c.CombinedOutput()
		if err == nil && want.Match(out) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("gatehouse %s: want %q, got\n%s", strings.Join(args, " "), want, out)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// large FILE BYTES: write a file of that many bytes.
func large(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), make([]byte, n), 0o600))
}

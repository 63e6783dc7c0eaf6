package policytest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v4"

	"gatehouse/policy"
)

// Contract checks what holds for every kind of policy:
//   - its manual page is a line without a full stop, a blank line and paragraphs,
//     and the uses shown in it are good ones;
//   - New sets defaults anew each time;
//   - what Validate lets through builds, and no configuration, however it is
//     spoiled, makes either panic; errors are one line;
//   - steps run concurrently (under the race detector) and what they deny with
//     holds no secret and nothing of the caller's key or token.
//
// good are configurations as files carry them, in JSON; change fits the
// environment to the kind.
func Contract(t *testing.T, k policy.Kind, good []string, change ...func(*policy.Env)) {
	t.Run("manual", func(t *testing.T) { manual(t, k) })
	t.Run("defaults", func(t *testing.T) {
		a, b := fmt.Sprintf("%+v", k.New()), fmt.Sprintf("%+v", k.New())
		if a != b || k.New() == k.New() {
			t.Errorf("New made %s, then %s; want equal values, each its own", a, b)
		}
	})
	for _, config := range good {
		t.Run("good "+config, func(t *testing.T) {
			u := New(t, Decode(t, k, config), change...)
			concurrently(t, u)
		})
		t.Run("spoiled "+config, func(t *testing.T) { spoil(t, k, config, change) })
	}
}

var use = regexp.MustCompile(`(?m)^    - ([a-z-]+):`)

func manual(t *testing.T, k policy.Kind) {
	first, rest, _ := strings.Cut(k.Doc, "\n")
	if first == "" || strings.HasSuffix(first, ".") || !strings.HasPrefix(rest, "\n") {
		t.Errorf("the page begins %q; want a line without a full stop, then a blank one", first)
	}
	at := use.FindStringIndex(k.Doc)
	if at == nil {
		t.Fatal("the page shows no use")
	}
	var uses []map[string]any
	if err := yaml.Unmarshal([]byte(k.Doc[at[0]:]), &uses); err != nil {
		t.Fatalf("the uses at the end of the page: %v", err)
	}
	for _, u := range uses {
		config, err := json.Marshal(u[k.Name])
		if err == nil {
			_, err = k.Decode(config)
		}
		if err != nil {
			t.Errorf("the use %v: %v", u, err)
		}
	}
}

// marks stand for what no answer of the gateway may hold.
const keyMark, tokenMark = "k3y-mark", "t0ken-mark"

func concurrently(t *testing.T, u *Use) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 25 {
				x := Request([]string{"GET", "OPTIONS", "POST"}[i%3], "/orders/7?api_key="+keyMark,
					"X-API-Key: "+keyMark, "Authorization: Bearer "+tokenMark, "Origin: https://a.example",
					"Access-Control-Request-Method: GET", "X-Tenant: "+Secret)
				x.Params = []policy.Param{{Name: "id", Value: "7"}}
				x.Key, x.Token = keyMark, tokenMark
				if d := u.Run(x); d != nil {
					out := fmt.Sprintf("%+v %s", *d, d.Body)
					for _, mark := range []string{keyMark, tokenMark, Secret} {
						if strings.Contains(out, mark) {
							t.Errorf("the denial %s holds %s", out, mark)
						}
					}
					if d.Status < 200 || d.Status > 599 {
						t.Errorf("denied with status %d", d.Status)
					}
				}
			}
		})
	}
	wg.Wait()
}

// spoilt take the place of each value of a good configuration, one at a time.
var spoilt = []string{`null`, `""`, `"\u0000\r\n"`, `"${env:X}"`, `"{"`, `"{nobody}"`, `"*"`, `"../.."`, `"1ns"`, `"999999h"`,
	`0`, `-1`, `1`, `1e300`, `9223372036854775807`, `true`, `[]`, `[null]`, `[""]`, `["*", "*"]`, `{}`, `{"": ""}`, `{"a": {"a": []}}`,
	`"` + strings.Repeat("x", 100_000) + `"`}

func spoil(t *testing.T, k policy.Kind, config string, change []func(*policy.Env)) {
	var tree any
	if err := json.Unmarshal([]byte(config), &tree); err != nil {
		t.Fatal(err)
	}
	var try func(value any, put func(any))
	try = func(value any, put func(any)) {
		for _, s := range spoilt {
			put(json.RawMessage(s))
			text, err := json.Marshal(tree)
			if err != nil {
				t.Fatal(err)
			}
			attempt(t, k, text, change)
		}
		put(value)
		switch v := value.(type) {
		case map[string]any:
			for name, e := range v {
				try(e, func(n any) { v[name] = n })
			}
		case []any:
			for i, e := range v {
				try(e, func(n any) { v[i] = n })
			}
		}
	}
	try(tree, func(n any) { tree = n })
}

func attempt(t *testing.T, k policy.Kind, config []byte, change []func(*policy.Env)) {
	t.Helper()
	c, err := k.Decode(config)
	if err != nil {
		if text := err.Error(); strings.ContainsAny(text, "\n\x00") || !strings.HasPrefix(text, k.Name+": ") {
			t.Errorf("%.200s: the error is not one line that begins with the policy's name: %.300q", config, text)
		}
		return
	}
	u, err := Try(t, c, change...)
	if err != nil {
		t.Errorf("%.200s: Validate let it through, Build says: %v", config, err)
		return
	}
	u.Run(Request("GET", "/orders/7"))
}

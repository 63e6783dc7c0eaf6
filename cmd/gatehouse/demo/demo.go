// Package demo is a small company on one machine: a platform team, a team that
// exposes an API, a team whose application calls it, and a sample backend.
//
// It goes in by the management API like everything else, so that what it shows
// can be done by hand. Starting it again on the same data changes nothing.
package demo

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/bundle"
	"gatehouse/client"
)

//go:embed files
var files embed.FS

// The demo's subscription.
const (
	team         = "billing"
	subscription = "invoices-commerce"
)

// Options are where things are.
type Options struct {
	Out     io.Writer
	Address string // of the management API
	Data    string // directory with admin.token
	Gateway string // URL that callers use
}

// Start runs the sample backend until ctx ends, fills the installation, and
// prints what to try.
func Start(ctx context.Context, o Options) error {
	backend, err := listen()
	if err != nil {
		return fmt.Errorf("starting the sample backend: %w", err)
	}
	s := &http.Server{Handler: Backend(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.Serve(backend) }() // ends with ctx
	context.AfterFunc(ctx, func() { s.Close() })

	token, err := os.ReadFile(filepath.Join(o.Data, "admin.token"))
	if err != nil {
		return err
	}
	c, err := client.New(o.Address, strings.TrimSpace(string(token)), nil)
	if err != nil {
		return err
	}
	docs, err := read("http://" + backend.Addr().String())
	if err != nil {
		return fmt.Errorf("reading the demo: %w", err)
	}
	if err := govern(ctx, c, o.Address, docs); err != nil {
		return fmt.Errorf("approving the demo's framework: %w", err)
	}
	if err := apply(ctx, c, docs, notFrameworks); err != nil {
		return fmt.Errorf("applying the demo: %w", err)
	}
	key, err := demoKey(ctx, c, filepath.Join(o.Data, "demo.key"))
	if err != nil {
		return fmt.Errorf("making the demo's key: %w", err)
	}
	if _, err := c.GetRollout(ctx, adminapi.RolloutRequest{Wait: 10}); err != nil {
		return err
	}
	return welcome(ctx, c, o, key)
}

// listen takes the port that the documents name, or any that is free.
func listen() (net.Listener, error) {
	if l, err := net.Listen("tcp", "127.0.0.1:8081"); err == nil {
		return l, nil
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// read reads the files with the backend's address in them.
func read(backend string) (*adminapi.ApplyBody, error) {
	dir, err := os.MkdirTemp("", "gatehouse-demo-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	sub, err := fs.Sub(files, "files")
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(sub, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(sub, name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), bytes.ReplaceAll(text, []byte("${DEMO_BACKEND}"), []byte(backend)), 0o600)
	})
	if err != nil {
		return nil, err
	}
	b, err := bundle.Read([]string{dir}, bundle.Options{})
	if err != nil {
		return nil, err
	}
	all := &adminapi.ApplyBody{Files: b.Files, Set: "demo"}
	for _, d := range b.Documents {
		all.Documents = append(all.Documents, adminapi.ApplyDocument{Object: d.Object, File: filepath.Base(d.File), Files: d.Files})
	}
	return all, nil
}

// notFrameworks leaves out what govern has brought: a version in force stays as
// it was approved, also where this program's documents have moved on.
func notFrameworks(k gatehouse.Kind) bool { return k != gatehouse.KindFramework }

// apply sends the documents of some kinds.
func apply(ctx context.Context, c *client.Client, all *adminapi.ApplyBody, of func(gatehouse.Kind) bool) error {
	some := *all
	some.Documents = slices.DeleteFunc(slices.Clone(all.Documents), func(d adminapi.ApplyDocument) bool {
		var o struct {
			Kind gatehouse.Kind `json:"kind"`
		}
		return json.Unmarshal(d.Object, &o) != nil || !of(o.Kind)
	})
	_, err := c.Apply(ctx, adminapi.ApplyRequest{Body: some})
	return err
}

// demoKey is the key of the demo's subscription. It is shown once, so that a
// demo that prints it at every start has to keep it.
func demoKey(ctx context.Context, c *client.Client, file string) (string, error) {
	kept, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(kept)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	k, err := c.CreateKey(ctx, adminapi.CreateKeyRequest{OwnedRef: adminapi.OwnedRef{Team: team, Name: subscription}})
	if err != nil {
		return "", err
	}
	return k.Body.Key, os.WriteFile(file, []byte(k.Body.Key+"\n"), 0o600)
}

const text = `
Gatehouse is running, with a demo in it. Call an API through the gateway:

  curl -H "X-API-Key: %[1]s" %[2]s/orders/v1/orders

Then see what protects it:

  # without a key: 401
  curl -i %[2]s/orders/v1/orders
  # more than the plan's five a second: 429
  for i in 1 2 3 4 5 6 7 8; do curl -s -o /dev/null -w '%%{http_code}\n' \
    -H "X-API-Key: %[1]s" %[2]s/orders/v1/orders; done

Look around from another terminal%[4]s:

  gatehouse catalog                                    what is exposed, and what each gateway runs
  gatehouse explain payments/orders@v1                 the steps a request goes through
  gatehouse promote payments/orders@v1 --from dev --to qa
  gatehouse framework show corporate                   the rules, and who approved them
  gatehouse gate run payments/orders@v1 --env prod     whether it obeys them, control by control
  gatehouse audit query                                who did what
  gatehouse access who release.approve environment/prod

Console: %[3]s
Stop with Ctrl-C; the data stays.
`

// exports is what another terminal lacks for the commands to work as printed.
func exports(data string) string {
	var all []string
	if _, err := exec.LookPath("gatehouse"); err != nil {
		if program, err := os.Executable(); err == nil {
			all = append(all, `PATH="`+filepath.Dir(program)+`:$PATH"`)
		}
	}
	if data != "gatehouse-data" {
		if whole, err := filepath.Abs(data); err == nil {
			data = whole // another terminal may be in another folder
		}
		all = append(all, `GATEHOUSE_DATA="`+data+`"`)
	}
	if len(all) == 0 {
		return ""
	}
	return " (export " + strings.Join(all, " ") + ")"
}

func welcome(ctx context.Context, c *client.Client, o Options, key string) error {
	code, err := c.CreateLoginCode(ctx, adminapi.LoginCodeRequest{})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, text, key, o.Gateway, o.Address+"/console/?code="+code.Body.Code, exports(o.Data))
	return err
}

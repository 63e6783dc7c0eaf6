package cli

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gatehouse"
	"gatehouse/client"
)

const (
	defaultAddress = "http://127.0.0.1:9080"
	defaultData    = "gatehouse-data"
)

// A savedContext is a server that "gatehouse login" keeps.
type savedContext struct {
	Address string `json:"address"`
	Token   string `json:"token"`
}

// contexts is the file of saved contexts.
type contexts struct {
	Current  string                  `json:"current"`
	Contexts map[string]savedContext `json:"contexts"`
}

// connect finds the server and who asks: flags, then the environment, then the
// data directory of a server on this machine, then the saved context.
func (a *App) connect() (*client.Client, error) {
	address := cmp.Or(a.address, a.Getenv("GATEHOUSE_ADDR"))
	token := cmp.Or(a.token, a.Getenv("GATEHOUSE_TOKEN"))
	saved, err := a.saved()
	if err != nil {
		return nil, err
	}
	if a.context != "" {
		c, ok := saved.Contexts[a.context]
		if !ok {
			return nil, gatehouse.E(gatehouse.NotFound, "no context %q is saved; \"gatehouse context\" lists them", a.context)
		}
		return a.client(cmp.Or(address, c.Address), cmp.Or(token, c.Token), "")
	}
	data := cmp.Or(a.data, a.Getenv("GATEHOUSE_DATA"))
	local, where, err := localServer(cmp.Or(data, defaultData))
	switch {
	case err == nil:
		token, address = cmp.Or(token, local), cmp.Or(address, where)
	case data != "" && token == "":
		return nil, err
	}
	if c, ok := saved.Contexts[saved.Current]; ok && token == "" && (address == "" || address == c.Address) {
		token, address = c.Token, c.Address
	}
	return a.client(cmp.Or(address, defaultAddress), token, filepath.Join(cmp.Or(data, defaultData), "admin.pem"))
}

// ask carries out one operation of the management API on the server that
// connect finds: ask(a, ctx, (*client.Client).Whoami, adminapi.Empty{}).
func ask[I, O any](a *App, ctx context.Context, do func(*client.Client, context.Context, I) (*O, error), in I) (*O, error) {
	api, err := a.connect()
	if err != nil {
		return nil, err
	}
	return do(api, ctx, in)
}

// client trusts, beside the system's authorities, those of --ca or GATEHOUSE_CA
// and the certificate that a server on this machine left in its data directory.
func (a *App) client(address, token, local string) (*client.Client, error) {
	file := cmp.Or(a.ca, a.Getenv("GATEHOUSE_CA"))
	more, err := os.ReadFile(cmp.Or(file, local))
	if err != nil {
		if file != "" {
			return nil, gatehouse.E(gatehouse.Invalid, "reading --ca: %w", err)
		}
		return client.New(address, token, nil)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(more) {
		return nil, gatehouse.E(gatehouse.Invalid, "%s holds no certificate in PEM", cmp.Or(file, local))
	}
	return client.New(address, token, client.HTTP(roots))
}

// localServer reads what a server leaves in its data directory for the
// commands of the same machine.
func localServer(dir string) (token, address string, err error) {
	text, err := os.ReadFile(filepath.Join(dir, "admin.token"))
	if err != nil {
		return "", "", gatehouse.E(gatehouse.Unauthenticated, "no server has left a token in %q: %w", dir, errors.Unwrap(err))
	}
	where, err := os.ReadFile(filepath.Join(dir, "admin.addr"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	return strings.TrimSpace(string(text)), strings.TrimSpace(string(where)), nil
}

func (a *App) contextFile() (string, error) {
	if f := a.Getenv("GATEHOUSE_CONTEXTS"); f != "" {
		return f, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "gatehouse", "contexts.json"), nil
}

// saved reads the saved contexts; none are no error, and neither is a machine
// without a home directory.
func (a *App) saved() (contexts, error) {
	c := contexts{Contexts: map[string]savedContext{}}
	file, err := a.contextFile()
	if err != nil {
		return c, nil
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, gatehouse.E(gatehouse.Invalid, "reading saved contexts: %s: %w", file, err)
	}
	return c, nil
}

// save writes the saved contexts, readable by their owner only.
func (a *App) save(c contexts) error {
	file, err := a.contextFile()
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	tmp := file + ".new"
	if err := os.WriteFile(tmp, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}

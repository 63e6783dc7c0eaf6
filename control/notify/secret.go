package notify

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

const (
	secretPrefix = "whsec_" // Standard Webhooks, "Signature scheme"
	// secretBytes of a generated secret; the specification asks for 24 to 64.
	secretBytes = 32
	// minSecret is the shortest secret that a reference may lead to.
	minSecret = 16
	// Overlap is how long messages are also signed with the secret before.
	Overlap = 24 * time.Hour
	// secretKind is the kind of the records of sealed secrets.
	secretKind = "NotifySecret"
)

// A sealedSecret is what the store has of a receiver's secret.
type sealedSecret struct {
	Sealed  []byte    `json:"sealed"`
	Created time.Time `json:"created"`
	// Before is the one before, which signs too until Until.
	Before []byte    `json:"before,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

// keys are what a receiver's messages are signed with, the current one first.
// A receiver without a reference gets one that is generated once.
func (n *Notify) keys(ctx context.Context, r *Receiver) ([][]byte, error) {
	if r.Secret != "" {
		key, err := n.resolve(r.Secret)
		return [][]byte{key}, err
	}
	s, _, err := n.sealed(ctx, r.ID)
	if gatehouse.Is(err, gatehouse.NotFound) {
		if _, err = n.Rotate(ctx, r.ID); err == nil || gatehouse.Is(err, gatehouse.Conflict) {
			s, _, err = n.sealed(ctx, r.ID)
		}
	}
	if err != nil {
		return nil, err
	}
	key, err := n.Vault.Unseal(r.ID, s.Sealed)
	if err != nil {
		return nil, err
	}
	keys := [][]byte{key}
	if len(s.Before) > 0 && n.now().Before(s.Until) {
		if key, err = n.Vault.Unseal(r.ID, s.Before); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (n *Notify) sealed(ctx context.Context, id string) (s sealedSecret, rev store.Seq, err error) {
	rec, err := n.DB.Get(ctx, secretKind+"/"+id)
	if err == nil {
		err = json.Unmarshal(rec.Value, &s)
	}
	return s, rec.Rev, err
}

// Rotate makes a receiver's secret, or a new one, and returns it: this once.
// The one before signs beside it for [Overlap].
func (n *Notify) Rotate(ctx context.Context, id string) (string, error) {
	r, err := n.Receiver(ctx, id)
	if err != nil {
		return "", err
	}
	switch {
	case r.Channel != Hook:
		return "", gatehouse.E(gatehouse.Invalid, "making a secret for receiver %q: it is told by mail, which is not signed", id)
	case r.Secret != "":
		return "", gatehouse.E(gatehouse.Conflict, "making a secret for receiver %q: its secret is %s; change it there", id, r.Secret)
	}
	was, rev, err := n.sealed(ctx, id)
	if err != nil && !gatehouse.Is(err, gatehouse.NotFound) {
		return "", err
	}
	key := make([]byte, secretBytes)
	rand.Read(key) // never fails (crypto/rand)
	sealed, err := n.Vault.Seal(id, key)
	if err != nil {
		return "", err
	}
	now := n.now()
	next := sealedSecret{Sealed: sealed, Created: now}
	if len(was.Sealed) > 0 {
		next.Before, next.Until = was.Sealed, now.Add(Overlap)
	}
	value, err := jsonx.Marshal(&next)
	if err != nil {
		return "", err
	}
	_, err = n.Trail.Commit(ctx, audit.Act{
		Action: "notification.secret", Object: object(id), Team: r.Team,
		Writes: []store.Write{{Key: secretKind + "/" + id, Kind: secretKind, Value: value, Expect: rev}},
	})
	if err != nil {
		return "", err
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(key), nil
}

// resolve reads what a reference leads to. The value is in no error.
func (n *Notify) resolve(ref string) ([]byte, error) {
	text, err := n.reference(ref)
	if err != nil {
		return nil, err
	}
	key := []byte(text)
	if coded, ok := strings.CutPrefix(text, secretPrefix); ok {
		if key, err = base64.StdEncoding.DecodeString(coded); err != nil {
			return nil, gatehouse.E(gatehouse.Invalid, "secret %s: what follows %q is not base64", ref, secretPrefix)
		}
	}
	if len(key) < minSecret {
		return nil, gatehouse.E(gatehouse.Invalid, "secret %s: it is shorter than %d bytes", ref, minSecret)
	}
	return key, nil
}

// reference reads ${env:NAME} and ${file:path}.
func (n *Notify) reference(ref string) (string, error) {
	return Resolve(ref, n.Getenv, n.ReadFile)
}

// Resolve reads what ${env:NAME} or ${file:path} leads to, on this host; nil
// functions are the process's own.
func Resolve(ref string, getenv func(string) (string, bool), readFile func(string) ([]byte, error)) (string, error) {
	if getenv == nil {
		getenv = os.LookupEnv
	}
	if readFile == nil {
		readFile = readSmall
	}
	what, name, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(ref, "${"), "}"), ":")
	var text string
	switch {
	case !gatehouse.IsReference(ref):
		return "", gatehouse.E(gatehouse.Invalid, "it is no reference such as ${env:NAME} or ${file:path}")
	case what == "env":
		var ok bool
		if text, ok = getenv(name); !ok {
			return "", gatehouse.E(gatehouse.Unavailable, "secret %s: the control plane has no such variable", ref)
		}
	case what == "file":
		data, err := readFile(name)
		if err != nil {
			return "", gatehouse.E(gatehouse.Unavailable, "secret %s: %w", ref, err)
		}
		text = string(data)
	default:
		return "", gatehouse.E(gatehouse.Invalid, "secret %s: the control plane reads ${env:NAME} and ${file:path}", ref)
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", gatehouse.E(gatehouse.Unavailable, "secret %s: it is empty", ref)
	}
	return text, nil
}

// readSmall reads a file that is no longer than secrets are.
func readSmall(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > 64<<10 {
		return nil, gatehouse.E(gatehouse.Invalid, "%q is no file of at most 64 KiB", path)
	}
	return os.ReadFile(path)
}

// sign is the webhook-signature of a message: one "v1,…" for each key
// (Standard Webhooks: base64 of HMAC-SHA256 over id, timestamp and body).
func sign(keys [][]byte, id string, at time.Time, body []byte) string {
	var all []string
	for _, key := range keys {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		h.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
	}
	return strings.Join(all, " ")
}

package link

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// An attempt is what an instance joins with. It is kept before the control plane
// is asked: when the answer is lost, or the process ends before it is kept, the
// next start asks again with the same key, and is the same instance.
type attempt struct {
	Token    string `json:"token"` // its public id
	Instance string `json:"instance"`
	Key      []byte `json:"key"`     // as in Identity
	Request  []byte `json:"request"` // certificate request for it
}

// attemptFile holds an attempt, mode 0600, until it has succeeded.
const attemptFile = "joining.json"

// attemptIn is the attempt that was begun in dir with the token, or a new one,
// which is kept there.
func attemptIn(dir string, t *Token, instance string) (*attempt, error) {
	a := new(attempt)
	data, err := os.ReadFile(filepath.Join(dir, attemptFile))
	if err == nil && json.Unmarshal(data, a) == nil && a.Token == t.PublicID() && len(a.Key) > 0 && len(a.Request) > 0 {
		return a, nil
	}
	if a, err = newAttempt(t, instance); err != nil {
		return nil, err
	}
	if data, err = json.Marshal(a); err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = writeFile(dir, attemptFile, data)
	}
	if err != nil {
		return nil, fmt.Errorf("keeping the key to join with: %w", err)
	}
	return a, nil
}

func newAttempt(t *Token, instance string) (a *attempt, err error) {
	a = &attempt{Token: t.PublicID(), Instance: instance}
	a.Key, a.Request, err = newRequest()
	return a, err
}

// endAttempt removes it: the identity is kept now.
func endAttempt(dir string) error {
	err := os.Remove(filepath.Join(dir, attemptFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

package control

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"gatehouse"
)

// adminToken is the file, in the data directory, that holds the administrator's
// token for the commands of the same machine.
const adminToken = "admin.token"

// admin makes the administrator on the first start and sees to it that the
// token file is there, also when the first start was cut short.
func (c *Control) admin(ctx context.Context) error {
	secret, created, err := c.Guard.EnsureAdmin(ctx)
	if err != nil {
		return err
	}
	if !created {
		if _, err := os.Stat(filepath.Join(c.Data, adminToken)); err == nil || !errors.Is(err, os.ErrNotExist) {
			return err
		}
		secret, err = c.Guard.RenewAdmin(ctx)
		if gatehouse.Is(err, gatehouse.NotFound) {
			return nil // the administrator was removed: other people run this now
		}
		if err != nil {
			return err
		}
	}
	return c.keepToken(secret)
}

// keepToken gives the file its name when it is whole: an empty one, left by a
// kill, would look like a token and shut its owner out.
func (c *Control) keepToken(secret string) error {
	f, err := os.CreateTemp(c.Data, ".token-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(secret + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(c.Data, adminToken))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

//go:build unix

package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// unprivileged is whom the server runs as when the test runs as root, which
// PostgreSQL refuses; nil when it runs as somebody already.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("running PostgreSQL as root: there is no user postgres or nobody to run it as")
}

// own gives the folder to the server's user.
func own(dir string) error {
	c, err := unprivileged()
	if err != nil || c == nil {
		return err
	}
	return os.Chown(dir, int(c.Uid), int(c.Gid))
}

// drop makes the command run as that user, in a group of its own: an interrupt
// of the tests is for them to pass on.
func drop(cmd *exec.Cmd) {
	c, _ := unprivileged() // own has told
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c, Setpgid: true}
}

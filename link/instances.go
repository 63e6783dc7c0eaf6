package link

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// instancesFile keeps the number of instances of the environment, so that an
// instance that starts without the control plane keeps to its part of common
// budgets.
const instancesFile = "instances"

// loadInstances takes up the number that was heard last. A file that is not there
// or damaged says nothing: then the instance takes itself for the only one.
func (r *Runner) loadInstances() {
	data, err := os.ReadFile(filepath.Join(r.Dir, instancesFile))
	if err != nil {
		return
	}
	if n, err := strconv.Atoi(strings.TrimSpace(string(data))); err == nil && n > 0 && n <= maxInstances {
		r.Client.instances.CompareAndSwap(0, int64(n))
		r.kept = n
	}
}

// keepInstances writes the number down when it has changed.
func (r *Runner) keepInstances() {
	n := int(r.Client.instances.Load())
	if n == r.kept {
		return
	}
	if err := writeFile(r.Dir, instancesFile, []byte(strconv.Itoa(n)+"\n")); err != nil {
		r.keeping.Met(r.Now(), 0, r.Log.Warn, "keeping the number of instances", "error", err)
		return
	}
	r.keeping.Over(r.Now(), r.Log, "the number of instances is kept again")
	r.kept = n
}

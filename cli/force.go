package cli

import "github.com/spf13/cobra"

// A force is the pair of flags by which what has traffic goes nevertheless.
type force struct {
	yes    bool
	reason string
}

func (f *force) bind(c *cobra.Command) {
	c.Flags().BoolVar(&f.yes, "force", false, "take away also what has traffic; needs --reason")
	c.Flags().StringVar(&f.reason, "reason", "", "why, with --force; it is put on record")
}

// why is the reason, "" when nothing is forced.
func (f *force) why() (string, error) {
	switch {
	case f.yes && f.reason == "":
		return "", misuse("--force needs a --reason, which is put on record")
	case !f.yes && f.reason != "":
		return "", misuse("--reason belongs to --force")
	case !f.yes:
		return "", nil
	}
	return f.reason, nil
}

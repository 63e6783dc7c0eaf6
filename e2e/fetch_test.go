package e2e

import (
	"io"
	"net/http"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// fetch FILE URL: keep what is at the URL.
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	resp, err := http.Get(args[1])
	ts.Check(err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if (resp.StatusCode != http.StatusOK) != neg {
		ts.Fatalf("%s: %s", args[1], resp.Status)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o600))
}

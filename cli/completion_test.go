package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCompletionInBash holds that the script completes in a Bash that has nothing
// else, and that a version is one word.
func TestCompletionInBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	_, script, _ := run(t, "completion", "bash")
	dir := t.TempDir()
	stub := "#!" + bash + "\nshift\nprintf '<%s>' \"$@\" >\"$ASKED\"\nprintf '%s\\n' payments/orders payments/orders@v1 payments/orders@v2 :4\n"
	if err := os.WriteFile(filepath.Join(dir, "gatehouse"), []byte(stub), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ line, asked, want string }{
		{"gatehouse status payments/", "<status><payments/>", "payments/orders payments/orders@v1 payments/orders@v2"},
		{"gatehouse status ", "<status><>", "payments/orders payments/orders@v1 payments/orders@v2"},
		{"gatehouse status payments/orders@v2", "<status><payments/orders@v2>", "payments/orders@v2"},
		{"gatehouse release payments/orders@v1 --from d", "<release><payments/orders@v1><--from><d>", ""},
	} {
		c := exec.Command(bash, "--norc", "--noprofile", "-c", script+`
compopt() { :; }
[[ $COMP_WORDBREAKS == *@* ]] && exit 3
COMP_LINE=$LINE COMP_POINT=${#LINE} COMP_TYPE=9
__start_gatehouse
echo "${COMPREPLY[*]}"`)
		c.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "LINE=" + tt.line, "ASKED=" + filepath.Join(dir, "asked")}
		out, err := c.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != tt.want {
			t.Errorf("%q: got %q, want %q (%v)", tt.line, got, tt.want, err)
		}
		if asked, err := os.ReadFile(filepath.Join(dir, "asked")); err != nil || string(asked) != tt.asked {
			t.Errorf("%q: asked for %q, want %q (%v)", tt.line, asked, tt.asked, err)
		}
	}
}

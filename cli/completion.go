package cli

import (
	"io"

	"github.com/spf13/cobra"
)

// bashPrelude goes before the script for Bash. By itself Bash ends a word at "@",
// so that payments/orders@v1 would be three; and what the script asks of the
// package bash-completion is not there on every machine.
const bashPrelude = `# gatehouse names versions team/name@version: "@" is no end of a word.
COMP_WORDBREAKS=${COMP_WORDBREAKS//@/}

# Stands in where the package bash-completion is not installed.
if ! declare -F _init_completion >/dev/null 2>&1 && ! declare -F _get_comp_words_by_ref >/dev/null 2>&1; then
    _get_comp_words_by_ref()
    {
        local line=${COMP_LINE:0:COMP_POINT}
        read -ra words <<<"$line"
        [[ $line == *[[:space:]] ]] && words+=("")
        cword=$((${#words[@]} - 1))
        cur=${words[cword]} prev=${words[cword - 1]}
    }
fi

`

// prelude puts it there.
func prelude(root *cobra.Command) {
	bash, _, err := root.Find([]string{"completion", "bash"})
	if err != nil || bash.Name() != "bash" {
		return
	}
	script := bash.RunE
	bash.RunE = func(c *cobra.Command, args []string) error {
		if _, err := io.WriteString(c.OutOrStdout(), bashPrelude); err != nil {
			return err
		}
		return script(c, args)
	}
}

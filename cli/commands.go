package cli

import (
	"github.com/spf13/cobra"

	"gatehouse/client"
)

// commands lists every command, in the order of the help text.
func (a *App) commands() []*cobra.Command {
	release := a.release()
	release.AddCommand(
		a.decideRelease("approve", "Let a requested release through"),
		a.decideRelease("reject", "Turn a requested release down"),
		a.withdraw(),
		a.stepCanary("pause", "Keep a canary's share as it is", (*client.Client).PauseCanary),
		a.stepCanary("resume", "Let a paused canary go on", (*client.Client).ResumeCanary),
		a.stepCanary("abort", "Send a canary's callers back", (*client.Client).AbortCanary),
		a.stepCanary("finish", "Give a canary all callers now", (*client.Client).FinishCanary),
		a.stepCanary("cancel", "Take a scheduled release back", (*client.Client).CancelRelease),
		a.listSchedules(), a.pastReleases(),
	)
	return []*cobra.Command{
		a.apply(), a.plan(), a.validate(), a.lint(), a.format(), a.export(), a.imports(), a.policies(),
		a.get(), a.list(), a.describe(), a.delete(),
		release, a.promote(), a.rollback(), a.diff(), a.status(), a.explainChain(), a.subscribe(), a.subscription(), a.key(),
		a.onboard(), a.team(),
		a.framework(), a.gate(), a.evidence(),
		a.catalog(), a.gateways(), a.usage(), a.audit(), a.access(), a.console(),
		a.notify(),
		a.support(), a.sla(),
		a.login(), a.logout(), a.contexts(), a.whoami(), a.tokens(), a.gatewayToken(), a.doctor(), a.version(),
	}
}

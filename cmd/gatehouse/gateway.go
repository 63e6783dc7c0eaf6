package main

import (
	"github.com/spf13/cobra"

	"gatehouse/cli"
	"gatehouse/gateway/instance"
)

func gatewayCommand(a *cli.App) *cobra.Command {
	c := instance.Command("gateway", a.Version, a.Getenv)
	c.GroupID = "run"
	return c
}

package expr

import (
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
)

// What a value that is not known yet is taken to hold when the cost of a
// condition is estimated. Three loops in each other over lists of the values
// are past the limit; two are not.
const (
	assumedItems = 200
	assumedText  = 256
)

type sizes struct{}

func (sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	switch n.Type().Kind() {
	case types.StringKind, types.BytesKind:
		return &cost.SizeEstimate{Max: assumedText}
	case types.ListKind, types.MapKind, types.DynKind, types.StructKind, types.AnyKind:
		return &cost.SizeEstimate{Max: assumedItems}
	}
	return nil
}

func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

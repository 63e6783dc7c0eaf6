package adminapi

import "slices"

// Routes is the whole table, in the order of the OpenAPI document.
var Routes = slices.Concat[[]Described]()

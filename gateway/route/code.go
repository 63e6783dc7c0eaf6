package route

// Code is a tree's nodes, one behind the other, as text: numbers of four bytes,
// little-endian, and literal text. A place in it is an offset; the root is at 0, so
// that 0 elsewhere is nothing. A node is
//
//	any, rest    where these children are
//	edges, patterns, leaves    how many of each
//	edges        sorted by text: text's place, its length, the child's place
//	patterns     in the order to try: place in Tree.lits, the child's place
//	leaves       method's place, its length, operation, place of its names
//
// and then the text of its edges and, for each leaf, place and length of the names
// of its template's parameters.
type code string

const (
	nodeAny, nodeRest, nodeEdges, nodePatterns, nodeLeaves, nodeSize = 0, 4, 8, 12, 16, 20

	edgeChild, edgeSize                     = 8, 12
	patternSize                             = 8
	nameSize                                = 8
	leafMethod, leafOp, leafNames, leafSize = 0, 8, 12, 16
)

func (c code) num(at int) int {
	c = c[at:][:4]
	return int(uint32(c[0]) | uint32(c[1])<<8 | uint32(c[2])<<16 | uint32(c[3])<<24)
}

// text reads the text that the place and the length at some place speak of.
func (c code) text(at int) string {
	return string(c[c.num(at):][:c.num(at+4)])
}

// edge finds the child for a segment, or 0.
func (c code) edge(n int, seg string) int {
	low, high := 0, c.num(n+nodeEdges)
	for low < high {
		mid := (low + high) / 2
		at := n + nodeSize + mid*edgeSize
		switch text := c.text(at); {
		case text == seg:
			return c.num(at + edgeChild)
		case text < seg:
			low = mid + 1
		default:
			high = mid
		}
	}
	return 0
}

// patterns tells where those of a node begin and end.
func (c code) patterns(n int) (at, end int) {
	at = n + nodeSize + c.num(n+nodeEdges)*edgeSize
	return at, at + c.num(n+nodePatterns)*patternSize
}

// leaves tells where those of a node begin and end.
func (c code) leaves(n int) (at, end int) {
	_, at = c.patterns(n)
	return at, at + c.num(n+nodeLeaves)*leafSize
}

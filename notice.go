package impasto

import _ "embed" // for the licences

// License is the licence of this module.
//
//go:embed LICENSE
var License string

// Notice says whose work is in the program besides: the network's weights, and the
// modules that it is built of with their licences. Whoever passes the program on passes
// this on with it, which is why the program has it inside.
//
//go:embed NOTICE
var Notice string

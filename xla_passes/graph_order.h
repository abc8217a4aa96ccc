// The second half of BuildGraph: drops dead ops and puts the others in the canonical order of
// graph.h.
#pragma once

#include "flattener.h"

namespace cfp {

Graph OrderCanonically(FlatGraph flat);

}  // namespace cfp

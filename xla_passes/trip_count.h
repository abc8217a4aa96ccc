// How often a loop runs, read off the loop itself.
//
//   condition: compare(i, 12), direction=LT    i starts at 0, next(i) = add(i, 1)      ->   12
#pragma once

#include <cstdint>

#include "flattener.h"

namespace cfp {

// Fills trip_count and trip_count_known of a loop's region, whose carries and condition are in
// place.
void ReadTripCount(FlatGraph& flat, int32_t region);

}  // namespace cfp

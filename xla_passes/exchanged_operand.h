// Whether two contractions hold one array with its free and contracted dimensions exchanged.
//
//   dispatch  'gsec,gsm->egcm'    of the mask: g batch, s contracted, e and c free
//   combine   'gsec,egcm->gsm'    of its weights: g batch, s free, e and c contracted
// The weights and the mask are one array up to elementwise ops of the same shape (a comparison, a
// cast, a product).
#pragma once

#include <vector>

#include "contractions.h"

namespace cfp {

// `activation` says per op whether it depends on a contraction: masks are only compared along such
// values.
bool ExchangeAnOperand(const Graph& graph, const ValueNumbers& numbers,
                       const std::vector<bool>& activation, OpId contraction, OpId other);

}  // namespace cfp

// The one exception of the core: the HLO it was given is not what it says it is.
#pragma once

#include <stdexcept>

namespace cfp {

struct HloError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace cfp

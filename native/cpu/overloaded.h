// One lambda an alternative for std::visit, so that the compiler names the operation that is forgotten.
#pragma once

namespace theta {

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace theta

// How values lie on the axes of a mesh, and what moves.
#include "axis_layout.h"

#include "layout_testing.h"
#include "model_testing.h"
#include "testing.h"

namespace cfp {
namespace {

using namespace testing;

// A train step of two matrices with an optimizer that keeps a momentum of each.
struct TrainedMlp {
  Program p;
  Mlp m;
  Array momentum, next_momentum, next_second, next_first;

  TrainedMlp() {
    m.x = p.Input({kBatch, kWidth});
    m.first = p.Input({kWidth, 128});
    m.second = p.Input({128, 16});
    momentum = p.Input({128, 16});
    WriteForward(p, &m);
    m.loss = p.Sum(p.Times(m.y, m.y), {0, 1});
    m.dy = p.Times(m.y, p.Filled(2, m.y.dims));
    WriteBackward(p, &m);
    next_first = p.Plus(m.first, p.Times(m.dfirst, p.Filled(0.1F, m.first.dims)));
    next_momentum = p.Plus(p.Times(momentum, p.Filled(0.9F, momentum.dims)), m.dsecond);
    next_second = p.Plus(m.second, next_momentum);
  }
  Arrays Results() const { return {m.loss, next_first, next_momentum, next_second}; }
  std::vector<Next> Nexts() const {
    return {{next_first, m.first}, {next_momentum, momentum}, {next_second, m.second}};
  }
};

TEST(Explore) {
  TrainedMlp t;
  const Step step(t.p, t.Results());
  printf("%s\n", step.Strategies(t.m.hidden).c_str());
  printf("%s\n", step.Strategies(t.m.y).c_str());
  auto show = [&](const char* what, const Laid& l) {
    printf("--- %s\n%s", what, l.Movements().c_str());
    for (auto [n, a] : std::vector<std::pair<const char*, Array>>{{"x", t.m.x}, {"first", t.m.first}, {"second", t.m.second}, {"momentum", t.momentum}})
      printf("  %s %s wanted %s\n", n, l.Cut(a).c_str(), l.Wanted(a).c_str());
    for (auto [n, a] : std::vector<std::pair<const char*, Array>>{{"hidden", t.m.hidden}, {"active", t.m.active}, {"y", t.m.y}, {"loss", t.m.loss}, {"dy", t.m.dy}, {"dsecond", t.m.dsecond}, {"dactive", t.m.dactive}, {"dhidden", t.m.dhidden}, {"dfirst", t.m.dfirst},{"next_momentum", t.next_momentum}, {"next_second", t.next_second}, {"next_first", t.next_first}})
      printf("  %s %s\n", n, l.Cut(a).c_str());
  };
  Plan columns = Plan(step, 4).Choose(t.m.hidden, "weight").Choose(t.m.y, "contracted");
  show("megatron", Laid(step, {columns}, t.Nexts()));
  Plan data = Plan(step, 4).Choose(t.m.hidden, "activation").Choose(t.m.y, "activation");
  show("data, wanted", Laid(step, {data}, t.Nexts()));
  show("data, stored whole", Laid(step, {Plan(data).StoreWhole()}, t.Nexts()));
  show("data, x stored ", Laid(step, {Plan(data).Store(t.m.x, 0)}, t.Nexts()));
  show("fsdp", Laid(step, {Plan(data).Store(t.m.x, 0).Store(t.m.first, 0).Store(t.m.second, 0).Store(t.momentum, 0)}, t.Nexts()));
  show("zero1", Laid(step, {Plan(data).Store(t.m.x, 0).Store(t.momentum, 0)}, t.Nexts()));
  show("nothing", Laid(step, {Plan(step, 4)}, t.Nexts()));
}

}  // namespace
}  // namespace cfp

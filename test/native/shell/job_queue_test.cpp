// The order in which tasks run.

#include "engine/job_queue.h"

#include "../check.h"

namespace {

using namespace theta;

class Order {
 public:
  explicit Order(JobQueue& queue) : queue_(queue) {}

  void push(uint32_t group, int64_t bytes, bool alone = false) {
    const Task task = CopyTask{{-1, 0}, {-1, 0}, bytes};
    queue_.push(std::make_unique<Job>(Job{pushed_++, task, alone, {}, nullptr}), group);
  }

  /// The numbers of those that were pushed, as the queue gives them; it is empty then.
  std::vector<uint64_t> ids() {
    std::vector<uint64_t> ids;
    while (!queue_.empty()) {
      const uint64_t first = queue_.first().id;
      ids.push_back(queue_.pop()->id);
      CHECK(ids.back() == first);
    }
    return ids;
  }

 private:
  JobQueue& queue_;
  uint64_t pushed_ = 0;
};

}  // namespace

TEST(queue_gives_the_largest_first_and_equal_ones_as_they_came) {
  JobQueue queue;
  Order order(queue);
  for (const int64_t bytes : {5, 0, 7, 5, 9, 5}) order.push(0, bytes);
  CHECK((order.ids() == std::vector<uint64_t>{4, 2, 0, 3, 5, 1}));
}

TEST(queue_gives_group_by_group) {
  JobQueue queue;
  Order order(queue);
  order.push(2, 900);
  order.push(UINT32_MAX, 1);
  order.push(1, 10);
  order.push(0, 3);
  order.push(1, 20);
  order.push(0, 4);
  CHECK((order.ids() == std::vector<uint64_t>{5, 3, 4, 2, 0, 1}));
}

TEST(queue_gives_first_what_runs_alone) {
  JobQueue queue;
  Order order(queue);
  order.push(0, 900);
  order.push(3, 10, true);
  order.push(1, 5);
  order.push(3, 20, true);
  order.push(0, 1, true);
  CHECK((order.ids() == std::vector<uint64_t>{4, 3, 1, 0, 2}));
}

TEST(queue_takes_more_while_it_is_emptied) {
  JobQueue queue;
  Order order(queue);
  order.push(1, 10);
  order.push(0, 1);
  CHECK(queue.pop()->id == 1);
  order.push(0, 1);
  order.push(1, 10);
  CHECK((order.ids() == std::vector<uint64_t>{2, 0, 3}));
}

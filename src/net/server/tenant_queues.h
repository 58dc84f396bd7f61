// SPDX-License-Identifier: Apache-2.0
// Jobs queued per tenant. Tenants are served round-robin, so that a tenant with many queued jobs does not
// delay the job of another. Within a tenant the order is first in, first out, except for callers that hold
// all they may.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/id.h"

namespace integreat::net {

template <class Job>
class TenantQueues {
public:
    void push(Job job) {
        auto& jobs = by_tenant_[job.tenant];
        if (jobs.empty()) order_.push_back(job.tenant);
        jobs.push_back(std::move(job));
        ++size_;
    }

    // Removes the first job that `admits` accepts, from the tenants in their order.
    template <class Predicate>
    std::optional<Job> pop(Predicate admits) {
        for (std::size_t i = 0; i < order_.size(); ++i) {
            auto tenant = by_tenant_.find(order_[i]);
            auto& jobs = tenant->second;
            auto found = std::ranges::find_if(jobs, admits);
            if (found == jobs.end()) continue;
            std::optional<Job> job(std::move(*found));
            jobs.erase(found);
            --size_;
            auto id = std::move(order_[i]);
            order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(i));
            if (jobs.empty()) {
                by_tenant_.erase(tenant);
            } else {
                order_.push_back(std::move(id));
            }
            return job;
        }
        return std::nullopt;
    }

    bool empty() const { return size_ == 0; }

private:
    std::unordered_map<TenantId, std::deque<Job>> by_tenant_;  // Only tenants with jobs.
    std::deque<TenantId> order_;                               // The next tenant first.
    std::size_t size_ = 0;
};

}  // namespace integreat::net

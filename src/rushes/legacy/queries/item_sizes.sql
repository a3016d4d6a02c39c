SELECT t.dataset_id, {size} AS size FROM {relation} AS t

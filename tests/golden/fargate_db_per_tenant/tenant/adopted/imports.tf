# What exists in AWS and is taken into the state by the next apply. This file leaves with the rendering after it.

import {
  to = module.database["e1"].aws_db_instance.this
  id = "legacy-orders"
}

# A GPU machine for Dreambooth.Lab on Nebius AI Cloud, set up by ../cloud-init.yaml. It has not been applied by this project.
#   nebius profile create && terraform init && terraform apply -var project=project-… -var subnet=vpcsubnet-… -var repository=https://…
# `terraform destroy` with the same variables deletes the machine, and with it the boot disk that it manages.

terraform {
  required_providers {
    nebius = {
      source  = "nebius/nebius"
      version = ">= 0.6.27"
    }
  }
}

# Logs in as `nebius` on the command line does.
provider "nebius" {
  profile = {}
}

variable "project" {
  description = "The project's ID: `nebius iam project list`."
  type        = string
}

variable "subnet" {
  description = "The subnet's ID: `nebius vpc subnet list`."
  type        = string
}

variable "repository" {
  description = "The address that the machine clones Dreambooth.Lab from."
  type        = string
}

variable "platform" {
  description = "The kind of GPU. One with 24 GB or more serves."
  type        = string
  default     = "gpu-h100-sxm"
}

variable "preset" {
  description = "GPUs, processors and memory of that platform."
  type        = string
  default     = "1gpu-16vcpu-200gb"
}

variable "user" {
  description = "The user that you log in as."
  type        = string
  default     = "lab"
}

variable "ssh_key" {
  description = "The file of your public SSH key."
  type        = string
  default     = "~/.ssh/id_ed25519.pub"
}

locals {
  # The two marked lines of the file, and the login.
  setup = replace(
    replace(file("${path.module}/../cloud-init.yaml"), "https://example.org/dreambooth-lab.git", var.repository),
    "LAB_USER=\"ubuntu\"", "LAB_USER=\"${var.user}\""
  )
  login = yamlencode({
    users = [{
      name                = var.user
      shell               = "/bin/bash"
      sudo                = "ALL=(ALL) NOPASSWD:ALL"
      ssh_authorized_keys = [trimspace(file(pathexpand(var.ssh_key)))]
    }]
  })
}

resource "nebius_compute_v1_instance" "dreambooth" {
  parent_id = var.project
  name      = "dreambooth"

  resources = {
    platform = var.platform
    preset   = var.preset
  }

  boot_disk = {
    attach_mode = "READ_WRITE"
    managed_disk = {
      name = "dreambooth-boot"
      spec = {
        type           = "NETWORK_SSD"
        size_gibibytes = 200
        source_image_family = {
          image_family = "ubuntu24.04-cuda13.0"
        }
      }
    }
  }

  network_interfaces = [{
    name              = "eth0"
    subnet_id         = var.subnet
    ip_address        = {}
    public_ip_address = {}
  }]

  cloud_init_user_data = "${local.setup}\n${local.login}"
}

output "ssh" {
  description = "The command that logs in; a dynamic address changes when the machine is stopped and started."
  value       = "ssh ${var.user}@${split("/", nebius_compute_v1_instance.dreambooth.status.network_interfaces[0].public_ip_address.address)[0]}"
}
